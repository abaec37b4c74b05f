"""One measured figure: both sides, the bar it must reach, whether it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TypeVar

from benchmarks.quiet import Rounds

T = TypeVar("T")


class Sense(StrEnum):
    """On which side of its bar a value must lie."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EQUAL = "equal"


@dataclass(frozen=True)
class Figure:
    """`value` is what `bar` speaks about: a ratio of the two sides, or `ours` itself where nothing stands beside it.

    `ours` and `beside` are in `unit`, one entry a round; `others` is the share of processor time that other
    programs took. Without a bar nothing is judged; without a value there is none, and `note` says why.
    """

    name: str
    unit: str
    value: float | None
    bar: float | None = None
    sense: Sense = Sense.AT_LEAST
    ours: tuple[float, ...] = ()
    beside: tuple[float, ...] = ()
    others: float = 0.0
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value reaches its bar; None where there is no bar or no value."""
        if self.value is None or self.bar is None:
            return None
        match self.sense:
            case Sense.AT_LEAST:
                return self.value >= self.bar
            case Sense.AT_MOST:
                return self.value <= self.bar
            case Sense.EQUAL:
                return self.value == self.bar


def ratio(
    name: str,
    unit: str,
    rounds: Rounds[T, T],
    rate: Callable[[T], float],
    *,
    bar: float | None = None,
    note: str = "",
) -> Figure:
    """Our rate over the other side's: the median of the rounds' ratios, which a drifting machine moves least."""
    ours, beside = tuple(map(rate, rounds.ours)), tuple(map(rate, rounds.beside))
    value = median(one / other for one, other in zip(ours, beside, strict=True))
    return Figure(name, unit, value, bar, Sense.AT_LEAST, ours, beside, rounds.others, note)


def amount(name: str, unit: str, ours: Sequence[float], *, at_most: float | None = None, others: float = 0.0) -> Figure:
    """The median of what was measured on our side alone."""
    return Figure(name, unit, median(ours), at_most, Sense.AT_MOST, tuple(ours), others=others)


def count(name: str, unit: str, ours: int, expected: int, *, note: str = "") -> Figure:
    """A number that must come out exactly."""
    return Figure(name, unit, ours, expected, Sense.EQUAL, (ours,), (expected,), note=note)
