"""The live bar of training on standard error: how far a stage is, and below it loss, rate, speed and memory."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Drawn
from rich.text import Text

from medlora_edge.models.units import size_text
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from build_tools.training.watcher import Progress


class _TwoLines(Drawn):
    """The figures have a line of their own: beside the bar they would push it off a narrow terminal."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            yield Text(task.fields["figures"], no_wrap=True, overflow="ellipsis")


class Bar:
    """A training watcher that draws two lines a stage, and prints notes above them."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
        )
        console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
        self._drawn = _TwoLines(*columns, console=console, transient=True)
        self._task: TaskID | None = None
        self._stage = ""

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drawn.stop()

    def step(self, progress: "Progress") -> None:
        """Move the bar of the stage and show its figures."""
        if self._stage != progress.stage:
            self._end_stage()
            self._stage = progress.stage
            self._task = self._drawn.add_task(progress.stage, total=progress.total, left="", figures="")
        if self._task is not None:
            left, shown = time_left(progress), figures(progress)
            self._drawn.update(self._task, completed=progress.step, left=left, figures=shown)
        if progress.step == progress.total:
            self.note(f"train/{progress.stage}: step {progress.step} of {progress.total}, {figures(progress)}")
            self._end_stage()

    def evaluated(self, stage: str, step: int, loss: float) -> None:
        """Print a held-out loss."""
        self.note(f"train/{stage}: step {step}, held-out loss {loss:.4f}")

    def note(self, message: str) -> None:
        """Print a line above the bar."""
        self._drawn.console.print(clean(message), soft_wrap=True)

    def _end_stage(self) -> None:
        if self._task is not None:
            self._drawn.remove_task(self._task)
        self._task, self._stage = None, ""


def time_left(progress: "Progress") -> str:
    """Hours, minutes and seconds to the end of the stage."""
    minutes, seconds = divmod(max(0, round(progress.eta_seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"


def figures(progress: "Progress") -> str:
    """Loss, learning rate, speeds, memory, and MFU where it is known."""
    parts = [
        f"loss {progress.loss:.4f}",
        f"lr {progress.learning_rate:.2e}",
        f"{progress.tokens_per_second:,.0f} tok/s ({progress.trained_per_second:,.0f} trained)",
        size_text(progress.peak_bytes),
        *([f"MFU {progress.mfu:.0%}"] if progress.mfu is not None else []),
    ]
    return ", ".join(parts)
