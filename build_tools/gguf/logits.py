"""Next-token logits of a row of tokens, one position at a time: of a GGUF in llama.cpp, of a folder in transformers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medlora_edge.errors import CorruptError, EngineError, ResourceError

if TYPE_CHECKING:
    from medlora_edge.engine.native import Context, Weights

CHUNK = 128  # tokens computed at once: 64 MB of logits where the vocabulary has 128k tokens

Logits = NDArray[np.float32]


class Model(Protocol):
    """What can be asked for next-token logits."""

    def logits(self, ids: Sequence[int], positions: Sequence[int]) -> Iterator[Logits]:
        """Of the tokens that follow the ascending `positions` of `ids`: shape (vocabulary,), valid until the next."""
        ...


class LlamaCpp:
    """A GGUF in llama.cpp."""

    def __init__(self, context: "Context") -> None:
        self._context = context

    def logits(self, ids: Sequence[int], positions: Sequence[int]) -> Iterator[Logits]:
        """See `Model`. Raises EngineError when llama.cpp cannot compute."""
        from medlora_edge.engine.native import DecodeError, Feed

        self._context.drop(0)
        for start in range(0, positions[-1] + 1, CHUNK):
            chunk = ids[start : start + CHUNK]
            wanted = [position - start for position in positions if 0 <= position - start < len(chunk)]
            try:
                self._context.decode([Feed(0, start, chunk, wanted)], abortable=False)
            except DecodeError as error:
                raise EngineError(str(error)) from error
            yield from map(self._context.logits, wanted)


@contextmanager
def llama_cpp(path: Path, *, longest: int, adapters: Sequence[Path] = ()) -> Iterator[LlamaCpp]:
    """Load a GGUF, with adapter GGUFs over it, for rows of at most `longest` tokens; on the GPU where llama.cpp can.

    Raises CorruptError when llama.cpp refuses a file, ResourceError when there is no memory for its context.
    """
    from medlora_edge.engine.machine import physical_cores
    from medlora_edge.engine.native import Context, LoadError

    weights = load(path, adapters)
    try:
        context = Context(
            weights,
            n_ctx=longest,
            n_seq=1,
            unified=True,
            n_batch=CHUNK,
            threads=physical_cores(),
            kv_type="f16",
            n_outputs=CHUNK,
        )
    except LoadError as error:
        weights.close()
        raise ResourceError(f"no memory for a context of {longest} tokens", where=str(path)) from error
    try:
        yield LlamaCpp(context)
    finally:
        context.close()
        weights.close()


def load(path: Path, adapters: Sequence[Path] = ()) -> "Weights":
    """Load a GGUF's weights; the caller closes them. Raises CorruptError when llama.cpp refuses a file."""
    from medlora_edge.engine.native import LoadError, Weights, gpu_offload, log_to_stderr

    log_to_stderr()
    layers = -1 if gpu_offload() else 0
    try:
        return Weights(str(path), gpu_layers=layers, on_progress=lambda _: None, adapters=[str(a) for a in adapters])
    except LoadError as error:
        raise CorruptError(f"llama.cpp cannot load {path.name}", where=str(path), fix="make it again") from error


class Transformers:
    """A Hugging Face folder in transformers: the reference."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def logits(self, ids: Sequence[int], positions: Sequence[int]) -> Iterator[Logits]:
        """See `Model`."""
        import torch

        with torch.inference_mode():
            row = torch.tensor([list(ids)], device=self._model.device)
            wanted = torch.tensor(list(positions), device=self._model.device)
            for logits in self._model(input_ids=row, logits_to_keep=wanted).logits[0]:
                yield logits.float().cpu().numpy()


def transformers(folder: Path) -> Transformers:
    """Load the folder's weights as they are stored; they are computed with in float32."""
    import torch

    from build_tools.bases import loading
    from build_tools.bases.exact_compute import in_fp32

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Transformers(in_fp32(loading.load(folder, "stored").to(device).eval()))
