"""llama.cpp's batch over numpy arrays: a Python loop over the tokens of a prompt would cost more than sampling."""

import ctypes
from collections.abc import Iterable, Sequence
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface, as every call below reads
import numpy as np
from numpy.typing import NDArray


class Batch:
    """Room for `size` tokens of any sequences."""

    def __init__(self, size: int) -> None:
        self._tokens, self._positions, self._sequences = (np.zeros(size, np.int32) for _ in range(3))
        self._outputs = np.zeros(size, np.int8)
        self._one_each = np.ones(size, np.int32)
        # llama.cpp wants a list of sequences for every token: here, a list of one, which lies in `_sequences`.
        start, step = self._sequences.ctypes.data, self._sequences.itemsize
        self._lists = np.arange(size, dtype=np.uintp) * step + start
        self._batch: Any = C.llama_batch(
            token=_pointer(self._tokens, C.llama_token),
            pos=_pointer(self._positions, C.llama_pos),
            n_seq_id=_pointer(self._one_each, ctypes.c_int32),
            seq_id=_pointer(self._lists, ctypes.POINTER(C.llama_seq_id)),
            logits=_pointer(self._outputs, ctypes.c_int8),
        )

    @property
    def handle(self) -> Any:
        """The C batch."""
        return self._batch

    @property
    def n_tokens(self) -> int:
        """Tokens in it."""
        return int(self._batch.n_tokens)

    def clear(self) -> None:
        """Empty it."""
        self._batch.n_tokens = 0

    def add(self, seq: int, start: int, tokens: Sequence[int], outputs: Iterable[int]) -> None:
        """Append `tokens` of sequence `seq` at positions from `start` on, with logits behind those in `outputs`."""
        first = self.n_tokens
        end = first + len(tokens)
        self._tokens[first:end] = tokens
        self._positions[first:end] = np.arange(start, start + len(tokens))
        self._sequences[first:end] = seq
        self._outputs[first:end] = 0
        self._outputs[[first + index for index in outputs]] = 1
        self._batch.n_tokens = end


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(kind))
