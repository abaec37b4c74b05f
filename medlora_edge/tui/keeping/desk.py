"""From a question typed to a question asked: room for it, kept first, then computed. Called from worker threads."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event

from medlora_edge.errors import MedloraError, StoppedError, UsageError
from medlora_edge.history import Chat, TaskName, Turn, TurnState
from medlora_edge.models import Adapter, Model
from medlora_edge.tasks import Question
from medlora_edge.tui.chat.standing import Standing
from medlora_edge.tui.keeping.asked_with import asked_with
from medlora_edge.tui.keeping.keeper import Keeper
from medlora_edge.tui.session.budget import Budget
from medlora_edge.tui.session.conversation import in_context
from medlora_edge.tui.session.events import Ended, SessionEvent
from medlora_edge.tui.session.session_like import SessionLike


@dataclass(frozen=True)
class Order:
    """A question to be asked. `draft` is what was typed for it; `drop`: leave out the oldest turns if they must go;
    `begun`: the answer to go on from.
    """

    task: TaskName
    question: Question
    draft: str = ""
    retry_of: int | None = None
    drop: bool = False
    begun: str = ""


class NoRoomError(UsageError):
    """The question does not fit with all that belongs to it."""

    def __init__(self, budget: Budget, earlier: int) -> None:
        super().__init__(f"{budget.used:,} tokens, the context holds {budget.window:,}, the answer's included")
        self.budget = budget
        self.earlier = earlier


class Desk:
    """Session and keeper, brought together. `model` is loaded, with `adapter`, when a question finds none; `shown` are
    the turns on the screen, one of each question.
    """

    def __init__(self, session: SessionLike, keeper: Keeper, hear: Callable[[SessionEvent], None]) -> None:
        self.session = session
        self.keeper = keeper
        self.model: Model | None = None
        self.adapter: Adapter | None = None
        self.type_ahead = True
        self.shown: frozenset[int] = frozenset()
        self.standing = Standing()
        self._hear = hear
        self._left_out: frozenset[int] = frozenset()
        self._wanted: Order | None = None  # what is to be sent, until it is stopped
        self._model_known = Event()  # a load has begun, or failed before it could
        self._worked: tuple[Model, Adapter | None] | None = None  # what was loaded last

    def see(self, at: Standing) -> None:
        """What the status line says now."""
        self.standing = at
        if at.loading or at.ready:
            self._model_known.set()
        if at.ready and self.model and at.sha256 == self.model.manifest.sha256:
            self._worked = self.model, self.adapter

    def let_go(self) -> None:
        """The model was let go of: the next question loads it."""
        self._model_known.set()

    def earlier(self, retry_of: int | None = None) -> tuple[Turn, ...]:
        """Turns that the next question builds on."""
        turns = in_context(self.keeper.turns(), before=retry_of, shown=self.shown)
        return tuple(turn for turn in turns if turn.id not in self._left_out)

    def budget(self, order: Order) -> Budget | None:
        """How full the context would be; None where that cannot be said yet."""
        try:
            return self.session.budget(order.task, order.question, self.earlier(order.retry_of))
        except MedloraError:  # a part is missing still, or no engine: the question itself will say so
            return None

    def read_ahead(self, order: Order) -> None:
        """Compute what is typed so far, unless that is switched off."""
        if not self.type_ahead:
            return
        with suppress(MedloraError):  # the store, or the engine: the question itself will say so
            self.session.prefill(order.task, order.question, self.earlier(order.retry_of))

    def take(self, order: Order) -> None:
        """A question is about to be sent: what was stopped before it is over."""
        self._wanted = order

    def stop(self) -> None:
        """Stop what is under way, in whatever phase; returns at once."""
        self.give_up()
        self.session.stop()

    def give_up(self) -> None:
        """Send nothing more; what the session has in hand is left to it."""
        self._wanted = None
        self._model_known.set()

    def confirm_stop(self) -> None:
        """The session has the question: a stop that came before it did is passed on."""
        if self._wanted is None and self.session.busy:
            self.session.stop()

    def send(self, order: Order, on_begun: Callable[[Turn], None]) -> None:
        """Ask; returns when the engine is done.

        Raises NoRoomError, StoppedError when it was stopped before it was kept, MedloraError.
        """
        model, adapter = self._need_model()
        earlier, window = self._with_room(order)
        if self._wanted is not order:
            raise StoppedError("stopped")
        turn = self.keeper.begin(
            order.task,
            order.question,
            model=model.name,
            sha256=model.manifest.sha256,
            settings=asked_with(model, adapter, window=window, task=order.task),
            retry_of=order.retry_of,
            typed=order.draft,
        )
        on_begun(turn)
        if self._wanted is not order:
            self._hear(Ended(turn.id, TurnState.STOPPED, order.begun))
            return
        try:
            self.session.ask(turn, earlier, order.begun)
        except MedloraError as error:
            self._hear(Ended(turn.id, TurnState.FAILED, order.begun, error=error))

    def load(self, find: Callable[[], Model], adapter: Adapter | None = None) -> None:
        """Find and load a model; returns when it is there, or not. Raises MedloraError."""
        try:
            self.model, self.adapter = find(), adapter
            self.session.load(self.model, adapter)
        finally:
            self._model_known.set()

    def go_back(self) -> Model | None:
        """The model of now cannot be loaded: take the one that could before; None where there is none other."""
        earlier, self._worked = self._worked, None
        if earlier is None or earlier == (self.model, self.adapter):
            return None
        self.model, self.adapter = earlier
        return self.model

    def turn_to(self, chat: Chat | None) -> None:
        """The next question goes on in this chat; None: it begins one of its own."""
        self.keeper.chat = chat
        self._left_out = frozenset()

    def _need_model(self) -> tuple[Model, Adapter | None]:
        """The one that answers: what the status line says of it is still that of the one before while it loads."""
        self._model_known.wait()
        model, adapter = self.model, self.adapter
        if model is None:
            raise UsageError("no model is installed", fix="install one with `medlora-edge models add FILE`")
        if not (self.standing.ready or self.standing.loading):
            self.session.load(model, adapter)
        return model, adapter

    def _with_room(self, order: Order) -> tuple[Sequence[Turn], int | None]:
        """The turns before it, fewer where the user said so; and the context's size, None while it is not known."""
        earlier = self.earlier(order.retry_of)
        budget = self.session.budget(order.task, order.question, earlier)
        if budget is None:
            return earlier, None
        if budget.fits:
            return earlier, budget.window
        if not order.drop:
            raise NoRoomError(budget, len(earlier))
        kept = self.session.fitting(order.task, order.question, earlier)
        self._left_out |= {turn.id for turn in earlier} - {turn.id for turn in kept}
        return kept, budget.window


def dropping(order: Order) -> Order:
    """The same, with the oldest turns left out if they must go."""
    return replace(order, drop=True)


def alone(order: Order) -> Order:
    """The same in a chat of its own: there is nothing there that it could be a variant of."""
    return replace(order, drop=True, retry_of=None)
