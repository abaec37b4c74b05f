"""How much memory training takes at its highest, and what to say when there is too little."""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psutil

from medlora_edge.errors import ResourceError

INTERVAL_SECONDS = 0.01
KERNELS = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
KERNELS_KEPT = "48"  # a step takes about 20


class PeakMemory:
    """Samples the memory that this process holds, from entering to leaving; on CUDA, the allocator's own peak."""

    def __init__(self, *, cuda: bool) -> None:
        self._cuda = cuda
        self._process = psutil.Process()
        self._highest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    @property
    def bytes(self) -> int:
        """The peak so far: resident memory of the process on a CPU, allocated memory of the card on CUDA."""
        if self._cuda:
            import torch

            return int(torch.cuda.max_memory_allocated())
        self._look()
        return self._highest

    def __enter__(self) -> Self:
        if self._cuda:
            import torch

            torch.cuda.reset_peak_memory_stats()
        else:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()

    def _sample(self) -> None:
        while not self._done.wait(INTERVAL_SECONDS):
            self._look()

    def _look(self) -> None:
        self._highest = max(self._highest, self._process.memory_info().rss)


def keep_few_kernels() -> None:
    """Let oneDNN keep fewer than 1,024 compiled kernels; call it before the process multiplies anything in bf16.

    Rows of other lengths in every step need new kernels in every step, each with memory of its own: without this,
    training on a CPU comes to take more than twice its memory in some hundred steps.
    """
    os.environ.setdefault(KERNELS, KERNELS_KEPT)


def release() -> None:
    """Give back what a trainer that is no longer used still holds through its reference cycles."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def memory_errors(where: str) -> Iterator[None]:
    """Turn "out of memory" of the card or of the machine into a ResourceError (exit 4)."""
    import torch

    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise ResourceError(
            f"not enough memory to train: {str(error).splitlines()[0] if str(error) else 'out of memory'}",
            where=where,
            fix="in this order: set checkpoint_activations, halve batch.micro and double batch.accumulation, "
            "lower max_length, load_bits: 4; `medlora-build check` says what each part takes",
        ) from error
