"""What the session tells the screen. Text in them is as the model or a file wrote it: clean it before it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import MedloraError
from medlora_edge.history.records import TurnState
from medlora_edge.models import Stage

# --- the model --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoadingModel:
    """`fraction` of `stage` is done, 0 to 1."""

    name: str
    stage: Stage
    fraction: float


@dataclass(frozen=True)
class ModelReady:
    """Questions are answered now. `warning` must be said wherever this model answers; `notes` may be."""

    name: str
    sha256: str
    n_ctx: int
    warning: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFailed:
    """The model cannot be used, or its load was stopped (StoppedError): no model is loaded now."""

    name: str
    error: MedloraError


@dataclass(frozen=True)
class ModelReleased:
    """No model is loaded any more, for this reason; the next question loads one."""

    why: str


# --- a turn, by its id ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Queued:
    """The question is taken and waits: for the model, or for what the engine still has in hand."""

    turn: int


@dataclass(frozen=True)
class ReadingPrompt:
    """Prefill: `done` of `total` prompt tokens are computed."""

    turn: int
    done: int
    total: int


@dataclass(frozen=True)
class Said:
    """`text` goes on behind what was said before; `tokens` counts the answer so far."""

    turn: int
    text: str
    tokens: int


@dataclass(frozen=True)
class Verdict:
    """Before the answer: its label, None for no verdict, and each label's probability; {} of a broken model."""

    turn: int
    label: str | None
    probs: Mapping[str, float]


@dataclass(frozen=True)
class EngineRestarted:
    """The engine died and was started again. What `turn` said is void, it begins anew."""

    why: str
    turn: int


@dataclass(frozen=True)
class Ended:
    """The last event of a turn. `answer` is all that is kept of it; `timings` are there when it was not cut short."""

    turn: int
    state: TurnState
    answer: str
    label: str | None = None
    label_probs: Mapping[str, float] = field(default_factory=dict)
    timings: Timings | None = None
    error: MedloraError | None = None


# --- type-ahead -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadingAhead:
    """Prefill of a prompt that is not sent yet: `done` of `total` tokens are computed."""

    done: int
    total: int


@dataclass(frozen=True)
class Prefilled:
    """The first `tokens` tokens of the prompt typed so far are computed; 0: that was given up."""

    tokens: int


SessionEvent = (
    LoadingModel
    | ModelReady
    | ModelFailed
    | ModelReleased
    | Queued
    | ReadingPrompt
    | Said
    | Verdict
    | EngineRestarted
    | Ended
    | ReadingAhead
    | Prefilled
)
