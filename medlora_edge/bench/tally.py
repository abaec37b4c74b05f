"""A run so far: how many are answered, right and invalid, and how long the rest will take."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from medlora_edge.bench.intervals import wilson

if TYPE_CHECKING:
    from medlora_edge.bench.schema import Sample


@dataclass(frozen=True)
class Tally:
    """Of `total` questions `done` are answered, `fresh` of them since this start of the run. By strict labels."""

    total: int
    done: int = 0
    right: int = 0
    invalid: int = 0
    fresh: int = 0

    @classmethod
    def resumed(cls, done: "Iterable[Sample]", total: int) -> Self:
        """What was answered before this start of the run."""
        tally = cls(total)
        for sample in done:
            tally = tally._counted(sample)
        return tally

    def answered(self, sample: "Sample") -> Self:
        """One more."""
        return replace(self._counted(sample), fresh=self.fresh + 1)

    def _counted(self, sample: "Sample") -> Self:
        return replace(
            self,
            done=self.done + 1,
            right=self.right + (sample.strict_label == sample.gold),
            invalid=self.invalid + (sample.strict_label is None),
        )

    @property
    def accuracy(self) -> float | None:
        """Share that is right; None before the first answer."""
        return self.right / self.done if self.done else None

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson(self.right, self.done)

    @property
    def valid_rate(self) -> float | None:
        """Share of answers that have a label; None before the first answer."""
        return 1 - self.invalid / self.done if self.done else None

    def time_left(self, seconds: float) -> str:
        """In words, after so many seconds of answering since this start."""
        return eta(self.fresh, self.total - self.done, seconds)


def eta(done: int, left: int, seconds: float) -> str:
    """Time left in words, from the pace of the items done in this session."""
    if done == 0:
        return "time left unknown"
    rest = round(seconds / done * left)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02} min left"
    return f"{minutes} min {rest % 60:02} s left" if minutes else f"{rest} s left"
