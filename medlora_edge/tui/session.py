"""The engine as the app sees it: one model, one question at a time, everything told through events."""

from collections.abc import Callable, Sequence
from threading import Condition, Lock
from typing import Protocol

from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import Message, Reuse
from medlora_edge.errors import InUseError, MedloraError, StoppedError, UsageError
from medlora_edge.history.records import TaskName, Turn
from medlora_edge.models import Adapter, Model, OpenedModel, open_model
from medlora_edge.settings import EngineSettings
from medlora_edge.tasks import Question, task
from medlora_edge.tui import conversation, verdict
from medlora_edge.tui.ahead import Ahead
from medlora_edge.tui.answering import Answering
from medlora_edge.tui.budget import Budget
from medlora_edge.tui.events import ModelReady, Prefilled, Queued, ReadingAhead, ReadingPrompt, SessionEvent
from medlora_edge.tui.loading import Loading
from medlora_edge.tui.mailbox import Mailbox


class BusyError(InUseError):
    """A question is being answered; the new one was not taken."""

    def __init__(self) -> None:
        super().__init__("a question is being answered", fix="wait for its end or stop it")


class SessionLike(Protocol):
    """What the screens use. `stop` and `stop_prefill` return at once; the rest is called from worker threads."""

    @property
    def busy(self) -> bool:
        """Whether a turn has begun and not ended."""

    def load(self, model: Model, adapter: Adapter | None = None) -> None:
        """Load a model in place of the one before, or of the one being loaded; ModelReady or ModelFailed ends it.

        Raises BusyError while a turn is answered.
        """

    def ask(self, turn: Turn, earlier: Sequence[Turn]) -> None:
        """Answer a turn; Ended is its last event, errors included. While a model is loaded it waits.

        Raises BusyError while another turn is answered.
        """

    def stop(self) -> None:
        """End the turn under way, else the load under way; the event that says so is sent before this returns."""

    def prefill(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> None:
        """Compute ahead what is typed so far; does nothing while a turn is answered or no model is there."""

    def stop_prefill(self) -> None:
        """Give up what `prefill` began."""

    def budget(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Budget | None:
        """Tokens of a question before it is sent; None while no model is there.

        Raises UsageError when the question lacks a part, EngineError.
        """

    def fitting(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Sequence[Turn]:
        """`earlier` without its oldest turns, as many as must go for the question to fit. Raises as `budget`."""

    def close(self) -> None:
        """End everything, and with the engine process what it remembers; a turn under way is interrupted."""


class Session:
    """The real one, over an engine process of its own. `post` is called from one thread, events in order."""

    def __init__(
        self,
        post: Callable[[SessionEvent], None],
        *,
        settings: EngineSettings | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._settings = settings or EngineSettings()
        self._engine = engine or Engine()
        self._mailbox = Mailbox(post)
        self._ahead = Ahead(self._engine, on_progress=self._read_ahead, on_done=self._prefilled)
        self._changed = Condition()  # guards what follows
        self._one_load = Lock()
        self._loading: Loading | None = None
        self._opened: OpenedModel | None = None
        self._run: Answering | None = None

    @property
    def busy(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._run is not None and not self._run.ended

    # --- the model ----------------------------------------------------------------------------------------

    def load(self, model: Model, adapter: Adapter | None = None) -> None:
        """See SessionLike."""
        loading = Loading(model.name, self._mailbox.put, self._engine.cancel_load)
        with self._changed:
            if self.busy:
                raise BusyError
            before, self._loading, self._opened = self._loading, loading, None
        if before:
            before.stop()
        self._ahead.cancel()
        with self._one_load:
            self._open(loading, model, adapter)

    def _open(self, loading: Loading, model: Model, adapter: Adapter | None) -> None:
        opened: OpenedModel | None = None
        try:
            opened = open_model(self._engine, model, self._settings, adapter=adapter, on_progress=loading.progress)
        except MedloraError as error:
            loading.fail(error)
        loading.leave_engine()
        with self._changed:
            if opened and loading.end(_ready(model, opened)):
                self._opened = opened
            if self._loading is loading:
                self._loading = None
            self._changed.notify_all()

    # --- questions ----------------------------------------------------------------------------------------

    def ask(self, turn: Turn, earlier: Sequence[Turn]) -> None:
        """See SessionLike."""
        run = Answering(turn, self._mailbox.put)
        with self._changed:
            if self.busy:
                raise BusyError
            self._run = run
        run.say(Queued(turn.id))
        try:
            self._answer(run, conversation.messages(turn.task, turn.question, earlier))
        except MedloraError as error:
            run.fail(error)
        finally:
            with self._changed:
                if self._run is run:
                    self._ahead.release()

    def _answer(self, run: Answering, chat: tuple[Message, ...]) -> None:
        turn = run.turn
        self._ahead.hold(chat)
        self._wait_for_model(run)
        budget = self._count([chat])[0]
        budget.require_room()
        run.say(ReadingPrompt(turn.id, 0, budget.used))
        done = run.follow_answer(
            self._engine.generate(chat, sampling=conversation.sampling(turn), max_tokens=budget.answer_room)
        )
        if run.ended:
            return
        candidates = task(turn.task).candidates(turn.question)
        if not candidates:
            run.done(done)
            return
        run.whole(done, verdict.label(turn, done.text))
        try:
            scored = run.follow_score(self._engine.score(chat, candidates, reuse=Reuse.LONGEST))
        except MedloraError as error:
            run.verdict({}, error)
        else:
            run.verdict(verdict.label_probs(scored))

    def _wait_for_model(self, run: Answering) -> None:
        with self._changed:
            self._changed.wait_for(lambda: run.ended or self._loading is None)
            if run.ended:
                raise StoppedError("stopped")
            if self._opened is None:
                raise UsageError("no model is loaded", fix="choose one on the model page")

    def stop(self) -> None:
        """See SessionLike."""
        with self._changed:
            run, loading = self._run, self._loading
        if run and not run.ended:
            run.stop()
            self._ahead.cancel()
        elif loading:
            loading.stop()
        with self._changed:
            self._changed.notify_all()

    # --- before a question is sent ------------------------------------------------------------------------

    def prefill(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> None:
        """See SessionLike."""
        if self.busy or self._opened is None:
            return
        try:
            chat = conversation.typed_so_far(name, question, earlier)
        except UsageError:  # nothing to compute yet
            return
        self._ahead.read(chat)

    def stop_prefill(self) -> None:
        """See SessionLike."""
        self._ahead.cancel()

    def budget(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Budget | None:
        """See SessionLike."""
        chat = conversation.messages(name, question, earlier)
        return self._count([chat])[0] if self._opened else None

    def fitting(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Sequence[Turn]:
        """See SessionLike."""
        tails = [earlier[start:] for start in range(len(earlier) + 1)]
        budgets = self._count([conversation.messages(name, question, tail) for tail in tails])
        return next((tail for tail, budget in zip(tails, budgets, strict=True) if budget.fits), ())

    def close(self) -> None:
        """See SessionLike."""
        with self._changed:
            run, loading = self._run, self._loading
        if run:
            run.interrupt()
        if loading:
            loading.stop()
        self._engine.close()
        with self._changed:
            self._changed.notify_all()
        self._mailbox.close()

    def _count(self, chats: Sequence[Sequence[Message]]) -> list[Budget]:
        opened = self._opened
        if opened is None:
            raise UsageError("no model is loaded", fix="choose one on the model page")
        return [Budget(used, opened.n_ctx) for used in self._engine.count(chats).tokens]

    def _read_ahead(self, done: int, total: int) -> None:
        run = self._run
        if run and not run.ended:  # the question was sent and goes on from it
            run.say(ReadingPrompt(run.turn.id, done, total))
        else:
            self._mailbox.put(ReadingAhead(done, total))

    def _prefilled(self, tokens: int) -> None:
        if not self.busy:
            self._mailbox.put(Prefilled(tokens))


def _ready(model: Model, opened: OpenedModel) -> ModelReady:
    return ModelReady(model.name, model.manifest.sha256, opened.n_ctx, opened.warning, opened.notes)
