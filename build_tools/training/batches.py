"""Rows to tensors: padded on the right, each packed document with positions of its own."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from build_tools.data.rows import IGNORED, Row

# transformers 5.23 builds these layouts' masks without looking at positions: packed documents would see each other.
BLIND_TO_POSITIONS = ("falcon",)


def collate(rows: Sequence[Row], *, apart: bool = False) -> dict[str, Any]:
    """`input_ids`, `labels` and `position_ids`, int64 [rows, longest row]; `apart`: every document in a row of its own.

    There is no attention mask on purpose: without one, transformers reads from restarting positions where a document
    ends and keeps the next one from seeing it. Padding goes on counting, as a tail of the last document that
    no token before it can see, so that rows of one document keep the plain causal kernel.
    """
    import torch

    rows = [document for row in rows for document in _documents(row)] if apart else rows
    shape = (len(rows), max(len(row.input_ids) for row in rows))
    input_ids = np.zeros(shape, np.int64)
    labels = np.full(shape, IGNORED, np.int64)
    positions = np.zeros(shape, np.int64)
    for index, row in enumerate(rows):
        length = len(row.input_ids)
        input_ids[index, :length] = row.input_ids
        labels[index, :length] = row.labels
        positions[index] = _positions(row, shape[1])
    return {
        "input_ids": torch.from_numpy(input_ids),
        "labels": torch.from_numpy(labels),
        "position_ids": torch.from_numpy(positions),
    }


def _documents(row: Row) -> Iterator[Row]:
    start = 0
    for id_, length in zip(row.ids, row.seq_lengths, strict=True):
        part = slice(start, start + length)
        yield Row((id_,), row.input_ids[part], row.labels[part], (length,))
        start += length


def _positions(row: Row, length: int) -> NDArray[np.int64]:
    lengths = (*row.seq_lengths[:-1], row.seq_lengths[-1] + length - len(row.input_ids))
    return np.concatenate([np.arange(n, dtype=np.int64) for n in lengths])
