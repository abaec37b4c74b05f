"""How much of a stage each source makes up, where the recipe says: documents are repeated, or a part is taken."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def mix(
    sources: Sequence[Sequence[T]], shares: Sequence[float | None], length: Callable[[T], int], *, seed: int
) -> tuple[tuple[T, ...], ...]:
    """What training sees of each source.

    All items of one without a share, once; of the others, as many as make up their share of the total length: whole
    repeats come first, then a seeded part, so that a share is met to within one item.
    """
    free = sum(length(item) for items, share in zip(sources, shares, strict=True) if share is None for item in items)
    whole = free / (1 - sum(share or 0 for share in shares))
    return tuple(
        tuple(items if share is None else _filled(items, share * whole, length, seed + number))
        for number, (items, share) in enumerate(zip(sources, shares, strict=True))
    )


def _filled(items: Sequence[T], wanted: float, length: Callable[[T], int], seed: int) -> Iterator[T]:
    own = sum(length(item) for item in items)
    if not own:
        return
    times, left = divmod(wanted, own)
    for _ in range(int(times)):
        yield from items
    for place in np.random.default_rng(seed).permutation(len(items)):
        left -= length(items[place])
        if left < 0:
            return
        yield items[place]
