"""The status line as data: what the session said so far, and how that reads in one line."""

from dataclasses import dataclass, replace
from enum import StrEnum

from medlora_edge.engine.protocol import Timings
from medlora_edge.history.records import TurnState
from medlora_edge.privacy import clean
from medlora_edge.tui.chat.signs import SEPARATOR
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
    """`doing` is the phase with its numbers; `ahead`: what is said in its place of what is typed and read ahead;
    `first`: when the first words came, and after how many tokens.
    """

    keeping: Keeping = Keeping.NOT_SAVED
    model: str = ""
    sha256: str = ""
    warning: str | None = None
    loading: bool = False
    ready: bool = False
    doing: str = "no model"
    ahead: str = ""
    first: tuple[float, int] | None = None
    budget: Budget | None = None

    @property
    def left(self) -> str:
        """What the app is at, and the warning's mark; the model last: its name is what a narrow terminal may cut."""
        mark = self.warning.split()[0] if self.warning else ""
        parts = (self.keeping, self.ahead or self.doing, mark, self.model)
        return SEPARATOR.join(clean(part) for part in parts if part)

    @property
    def right(self) -> str:
        """How full the context is."""
        if self.budget is None:
            return ""
        marks = ("!" if self.budget.nearly_full else "") + ("~" if self.budget.typed else "")
        return f"{marks}{self.budget.now:,}/{self.budget.window:,} tokens"


def hear(at: Standing, event: SessionEvent, now: float) -> Standing:  # noqa: C901, PLR0911 - one case an event
    """The status after an event that came at `now` (seconds, any clock)."""
    at = replace(at, ahead="")
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
            return replace(at, ahead=f"reading ahead {event.done:,}/{event.total:,}")
        case Prefilled():
            return replace(at, ahead=f"ready{SEPARATOR}{event.tokens:,} tokens read ahead" if event.tokens else "")
        case Verdict():
            return at


def figures(spent: Timings | None) -> str:
    """What a whole answer took."""
    if spent is None:
        return ""
    prompt = f"prompt {spent.prompt_tokens:,} tokens ({spent.cached_tokens:,} from cache)"
    parts = (
        _time(spent.total_seconds),
        f"{prompt} in {_time(spent.prefill_seconds)}",
        f"answer {spent.generated_tokens:,} tokens",
        _decode_rate(spent),
    )
    return SEPARATOR.join(part for part in parts if part)


def _answering(at: Standing, event: Said, now: float) -> Standing:
    if not event.tokens:  # the words that it goes on from
        return at
    began, before = at.first or (now, event.tokens)
    rate = _rate(event.tokens - before, now - began)
    return replace(at, first=(began, before), doing=", ".join(filter(None, (f"answering {event.tokens:,}", rate))))


def _end(event: Ended) -> str:
    if event.state in ENDS:
        return ENDS[event.state]
    spent = event.timings
    rate = _decode_rate(spent) if spent else ""
    return f"ready ({rate}, {_time(spent.total_seconds)})" if spent and rate else "ready"


def _decode_rate(spent: Timings) -> str:
    return _rate(spent.generated_tokens - 1, spent.decode_seconds)  # the first token comes out of the prefill


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _rate(tokens: int, seconds: float) -> str:
    if seconds <= 0 or tokens <= 0:
        return ""
    rate = tokens / seconds
    return f"{rate:,.0f} tok/s" if rate >= 100 else f"{rate:.1f} tok/s"
