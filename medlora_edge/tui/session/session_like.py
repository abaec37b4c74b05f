"""What the screens use of a session, and why it may say no."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from medlora_edge.errors import InUseError
from medlora_edge.history.records import TaskName, Turn
from medlora_edge.models import Adapter, Model
from medlora_edge.tasks import Question
from medlora_edge.tui.session.budget import Budget


class BusyError(InUseError):
    """A question is being answered; the new one was not taken."""

    def __init__(self) -> None:
        super().__init__("a question is being answered", fix="wait for its end or stop it")


class LentError(InUseError):
    """Memory and processor are lent to a bench; nothing was taken."""

    def __init__(self) -> None:
        super().__init__("a bench is running", fix="stop it or wait for its end (F5 shows it)")


class SessionLike(Protocol):
    """What the screens use. `stop` and `stop_prefill` return at once; the rest is called from worker threads."""

    lent: bool  # a bench has the machine

    @property
    def busy(self) -> bool:
        """Whether a turn has begun and not ended."""

    def load(self, model: Model, adapter: Adapter | None = None) -> None:
        """Load a model in place of the one before, or of the one being loaded; ModelReady or ModelFailed ends it.

        Raises BusyError while a turn is answered, LentError while a bench has the machine.
        """

    def ask(self, turn: Turn, earlier: Sequence[Turn], begun: str = "") -> None:
        """Answer a turn; Ended is its last event, errors included. While a model is loaded it waits.

        `begun` is said first: the answer goes on from it.

        Raises BusyError while another turn is answered, LentError while a bench has the machine.
        """

    def stop(self) -> None:
        """End the turn under way, else the load under way; the event that says so is sent before this returns."""

    def prefill(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> None:
        """Compute ahead what is typed so far; does nothing while a turn is answered or no model is there."""

    def stop_prefill(self) -> None:
        """Give up what `prefill` began."""

    def budget(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Budget | None:
        """Tokens of a question before it is sent, with those of the turns it builds on even while it is empty; None
        while no model is there. Raises EngineError.
        """

    def fitting(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Sequence[Turn]:
        """`earlier` without its oldest turns, as many as must go for the question to fit. Raises as `budget`."""

    def unload(self, why: str) -> None:
        """End everything, and with the engine process what it remembers; ModelReleased says so, `load` begins anew."""

    def lend(self) -> AbstractContextManager[None]:
        """Unload, and refuse `load` and `ask` until the context ends. Raises BusyError while a turn is answered."""

    def close(self) -> None:
        """End everything, and with the engine process what it remembers; a turn under way is interrupted."""
