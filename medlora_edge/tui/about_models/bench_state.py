"""What can be shown of a bench run, as data and as lines of text."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from medlora_edge.bench.tabular import interval_text, percent
from medlora_edge.bench.tally import Tally
from medlora_edge.errors import MedloraError
from medlora_edge.tui.chat.signs import bar

if TYPE_CHECKING:
    from medlora_edge.bench.schema import Results

BAR = 30  # characters


class Phase(StrEnum):
    """Where a run stands."""

    NONE = "none"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class BenchState:
    """A run; `began`: when its first question since this start was asked, on the app's clock."""

    phase: Phase = Phase.NONE
    title: str = ""
    warnings: tuple[str, ...] = ()
    folder: Path | None = None
    stage: str = ""
    tally: Tally | None = None
    began: float = 0.0
    results: "Results | None" = None
    error: MedloraError | None = None

    @property
    def running(self) -> bool:
        """Whether it has the machine."""
        return self.phase in {Phase.RUNNING, Phase.STOPPING}


def doing(at: BenchState) -> str:
    """The phase in words."""
    kept = f"{at.tally.done:,} of {at.tally.total:,} answers are kept" if at.tally else "Nothing was asked yet"
    match at.phase:
        case Phase.STOPPING:
            return "Stopping ..."
        case Phase.STOPPED:
            return f"Stopped by you. {kept}; R goes on."
        case Phase.FAILED:
            return f"It could not go on. {kept}; R tries again."
    return f"{at.stage.capitalize()} ..." if at.stage else ""


def figures(at: BenchState, now: float) -> Iterator[str]:
    """How far, how well, how long still."""
    tally = at.tally
    if tally is None:
        return
    share = tally.done / tally.total if tally.total else 1.0
    yield f"{bar(share, BAR)} {tally.done:,} of {tally.total:,} answered ({share:.0%})"
    if tally.done:
        interval = interval_text(tally.accuracy_interval)
        yield f"accuracy so far  {percent(tally.accuracy):>5} %   95 % interval {interval}"
        yield f"valid answers    {percent(tally.valid_rate):>5} %   {tally.invalid:,} without a label"
    if at.phase is Phase.RUNNING:
        yield tally.time_left(now - at.began)
