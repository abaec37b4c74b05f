"""How far a run is, on standard error: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from medlora_edge.bench.schema import Sample

LINE_SECONDS = 30.0


def eta(done: int, left: int, seconds: float) -> str:
    """Time left in words, from the pace of the items done in this session."""
    if done == 0:
        return "time left unknown"
    rest = round(seconds / done * left)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02} min left"
    return f"{minutes} min {rest % 60:02} s left" if minutes else f"{rest} s left"


class Progress:
    """Counts answered items and shows them."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        text = TextColumn("{task.description}", markup=False)
        self._bar = Bar(text, BarColumn(), MofNCompleteColumn(), console=console, transient=True)
        self._is_terminal = console.is_terminal
        self._task = self._bar.add_task("", total=None)
        self._total = self._done = self._right = self._invalid = self._session = 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, what: str) -> None:
        """Something begins that takes a while."""
        self._show(what)

    def begin(self, done: Sequence[Sample], total: int) -> None:
        """`done` items of `total` are there from an earlier session."""
        self._total = total
        for sample in done:
            self._count(sample)
        self._began = time.monotonic()
        self._show(f"resuming: {len(done)} of {total} are done" if done else f"{total} questions")

    def answered(self, sample: Sample) -> None:
        """One more."""
        self._count(sample)
        self._session += 1
        finished = self._done == self._total
        if self._is_terminal or finished or time.monotonic() - self._said >= LINE_SECONDS:
            self._show(self.line())

    def line(self) -> str:
        """Running accuracy, invalid answers, time left."""
        left = eta(self._session, self._total - self._done, time.monotonic() - self._began)
        return f"accuracy {100 * self._right / self._done:.1f} % · {self._invalid} invalid · {left}"

    def _count(self, sample: Sample) -> None:
        self._done += 1
        self._right += sample.strict_label == sample.gold
        self._invalid += sample.strict_label is None

    def _show(self, what: str) -> None:
        self._said = time.monotonic()
        if self._is_terminal:
            self._bar.update(self._task, completed=self._done, total=self._total or None, description=what)
            return
        count = f"{self._done}/{self._total} " if self._done else ""
        print(f"{count}{what}", file=sys.stderr, flush=True)
