"""Which positions of held-out rows are compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from build_tools.data.rows import IGNORED, Row
from medlora_edge.errors import UsageError

MAX_TOKENS = 16_384  # of held-out text to measure on: enough for a mean, bounded in time
TOKENS_A_POSITION = 8  # computed for each one that is looked at


@dataclass(frozen=True)
class Places:
    """Ascending `positions` of one row, the tokens that follow them (`targets`), and whether those are `trained`."""

    ids: list[int]
    positions: list[int]
    targets: list[int]
    trained: list[bool]


def everywhere(rows: Sequence[Row]) -> list[Places]:
    """Every position of at most MAX_TOKENS tokens of rows, spread over all. Raises UsageError when there is none."""
    return _require([_places(row, range(len(row.input_ids) - 1)) for row in _spread(rows, MAX_TOKENS)])


def answers(rows: Sequence[Row]) -> list[Places]:
    """The positions among these that predict a trained token. Raises UsageError when there is none."""
    return _require(
        [_places(row, np.flatnonzero(row.labels[1:] != IGNORED).tolist()) for row in _spread(rows, MAX_TOKENS)]
    )


def evenly(rows: Sequence[Row], count: int) -> list[Places]:
    """`count` positions, or all there are, spread over some of the rows. Raises UsageError when there is none."""
    rows = _spread(rows, count * TOKENS_A_POSITION)
    lengths = [len(row.input_ids) - 1 for row in rows]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if lengths else 0
    chosen = np.unique(np.linspace(0, total - 1, min(count, total), dtype=int)) if total else np.empty(0, int)
    found = []
    for row, length, end in zip(rows, lengths, ends, strict=True):
        inside = chosen[(chosen >= end - length) & (chosen < end)] - (end - length)
        found.append(_places(row, inside.tolist()))
    return _require(found)


def longest(places: Sequence[Places]) -> int:
    """Tokens of the longest row."""
    return max(len(row.ids) for row in places)


def _places(row: Row, positions: Sequence[int]) -> Places:
    following = [position + 1 for position in positions]
    trained = (row.labels[following] != IGNORED).tolist()
    return Places(row.input_ids.tolist(), list(positions), row.input_ids[following].tolist(), trained)


def _spread(rows: Sequence[Row], tokens: int) -> list[Row]:
    """Every n-th row, so that they have about that many tokens together; four rows at least."""
    share = tokens / max(tokens, sum(len(row.input_ids) for row in rows))
    count = max(int(len(rows) * share), min(4, len(rows)))
    return [rows[number * len(rows) // count] for number in range(count)]


def _require(places: list[Places]) -> list[Places]:
    found = [row for row in places if row.positions]
    if not found:
        raise UsageError("the held-out rows have no token to compare", fix="hold out more rows (evaluation.share)")
    return found
