"""How far a run is, on standard error: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from medlora_edge.bench.schema import Sample
from medlora_edge.bench.tabular import percent
from medlora_edge.bench.tally import Tally

LINE_SECONDS = 30.0


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
        self._tally = Tally(0)
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
        self._tally = Tally.resumed(done, total)
        self._began = time.monotonic()
        self._show(f"resuming: {len(done)} of {total} are done" if done else f"{total} questions")

    def answered(self, sample: Sample) -> None:
        """One more."""
        self._tally = self._tally.answered(sample)
        finished = self._tally.done == self._tally.total
        if self._is_terminal or finished or time.monotonic() - self._said >= LINE_SECONDS:
            self._show(self.line())

    def line(self) -> str:
        """Running accuracy, invalid answers, time left."""
        tally = self._tally
        left = tally.time_left(time.monotonic() - self._began)
        return f"accuracy {percent(tally.accuracy)} % · {tally.invalid} invalid · {left}"

    def _show(self, what: str) -> None:
        self._said = time.monotonic()
        if self._is_terminal:
            self._bar.update(self._task, completed=self._tally.done, total=self._tally.total or None, description=what)
            return
        count = f"{self._tally.done}/{self._tally.total} " if self._tally.done else ""
        print(f"{count}{what}", file=sys.stderr, flush=True)
