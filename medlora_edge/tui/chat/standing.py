"""The status line as data: what the session said so far, and how that reads in one line."""

from dataclasses import dataclass, replace
from enum import StrEnum

from medlora_edge.engine.protocol import Timings
from medlora_edge.history.records import TurnState
from medlora_edge.privacy import clean
from medlora_edge.tui.session.budget import Budget
from medlora_edge.tui.session.events import (
    Ended,
    EngineRestarted,
    LoadingModel,
    ModelFailed,
    ModelReady,
    ModelReleased,
    Prefilled,
    Queued,
    ReadingAhead,
    ReadingPrompt,
    Said,
    SessionEvent,
    Verdict,
)

NAME_WIDTH = 24
SEPARATOR = " \u00b7 "
ENDS = {
    TurnState.STOPPED: "stopped",
    TurnState.CUT: "cut at the limit",
    TurnState.FAILED: "failed",
    TurnState.INTERRUPTED: "interrupted",
}


class Keeping(StrEnum):
    """What becomes of the chat, in the words of the status line."""

    NOT_SAVED = "not saved"
    SAVED = "saved, encrypted"
    READ_ONLY = "read only"


@dataclass(frozen=True)
class Standing:
    """`doing` is the phase with its numbers; `first`: when the first words came, and after how many tokens."""

    keeping: Keeping = Keeping.NOT_SAVED
    model: str = ""
    sha256: str = ""
    warning: str | None = None
    loading: bool = False
    ready: bool = False
    doing: str = "no model"
    first: tuple[float, int] | None = None
    budget: Budget | None = None

    @property
    def left(self) -> str:
        """What the app is at."""
        mark = self.warning.split()[0] if self.warning else ""
        return SEPARATOR.join(clean(part) for part in (self.keeping, self.model[:NAME_WIDTH], mark, self.doing) if part)

    @property
    def right(self) -> str:
        """How full the context is."""
        if self.budget is None:
            return ""
        marks = ("!" if self.budget.nearly_full else "") + ("~" if self.budget.typed else "")
        return f"{marks}{self.budget.now:,}/{self.budget.window:,} tokens"


def hear(at: Standing, event: SessionEvent, now: float) -> Standing:  # noqa: C901, PLR0911 - one case an event
    """The status after an event that came at `now` (seconds, any clock)."""
    match event:
        case LoadingModel():
            doing = f"{event.stage} {event.fraction:.0%}"
            return replace(at, model=event.name, warning=None, loading=True, ready=False, doing=doing, budget=None)
        case ModelReady():
            known = replace(at, model=event.name, sha256=event.sha256, warning=event.warning)
            return replace(known, loading=False, ready=True, doing="ready")
        case ModelFailed():
            return replace(at, model=event.name, loading=False, ready=False, doing="no model", budget=None)
        case ModelReleased():
            return replace(at, loading=False, ready=False, doing=event.why, budget=None)
        case Queued():
            return replace(at, first=None, doing=at.doing if at.loading else "waiting")
        case ReadingPrompt():
            return replace(at, doing=f"reading prompt {event.done:,}/{event.total:,}")
        case Said():
            return _answering(at, event, now)
        case EngineRestarted():
            return replace(at, first=None, doing="engine started again")
        case Ended():
            return replace(at, first=None, doing=_end(event))
        case ReadingAhead():
            return replace(at, doing=f"reading ahead {event.done:,}/{event.total:,}")
        case Prefilled():
            return replace(at, doing=f"read ahead {event.tokens:,}")
        case Verdict():
            return at


def figures(spent: Timings | None) -> str:
    """What a whole answer took."""
    if spent is None:
        return ""
    rate = f"{spent.generated_tokens / spent.decode_seconds:.1f} tok/s" if spent.decode_seconds > 0 else ""
    parts = (
        f"{spent.total_seconds:.1f} s",
        f"prompt {spent.prompt_tokens:,} tokens ({spent.cached_tokens:,} known) in {spent.prefill_seconds:.1f} s",
        f"answer {spent.generated_tokens:,} tokens",
        rate,
    )
    return SEPARATOR.join(part for part in parts if part)


def _answering(at: Standing, event: Said, now: float) -> Standing:
    if not event.tokens:  # the words that it goes on from
        return at
    began, before = at.first or (now, event.tokens)
    rate = f", {(event.tokens - before) / (now - began):.1f} tok/s" if now - began > 0 else ""
    return replace(at, first=(began, before), doing=f"answering {event.tokens:,}{rate}")


def _end(event: Ended) -> str:
    if event.state in ENDS:
        return ENDS[event.state]
    spent = event.timings
    if spent is None or spent.decode_seconds <= 0:
        return "ready"
    return f"ready ({spent.generated_tokens / spent.decode_seconds:.1f} tok/s, {spent.total_seconds:.1f} s)"
