"""The engine as the app sees it: one model, one question at a time, everything told through events."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Lock

from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import Message, Reuse
from medlora_edge.errors import MedloraError, StoppedError, UsageError
from medlora_edge.history.records import TaskName, Turn
from medlora_edge.models import Adapter, Model, OpenedModel, open_model, require_unchanged
from medlora_edge.settings import EngineSettings
from medlora_edge.tasks import Question, task
from medlora_edge.tui.session import conversation, verdict
from medlora_edge.tui.session.ahead import Ahead
from medlora_edge.tui.session.answering import Answering
from medlora_edge.tui.session.budget import Budget
from medlora_edge.tui.session.events import (
    ModelReady,
    ModelReleased,
    Prefilled,
    ReadingAhead,
    ReadingPrompt,
    SessionEvent,
    Verdict,
)
from medlora_edge.tui.session.loading import Loading
from medlora_edge.tui.session.mailbox import Mailbox
from medlora_edge.tui.session.session_like import BusyError, LentError


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
        self.lent = False

    @property
    def busy(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._run is not None and not self._run.ended

    # --- the model ----------------------------------------------------------------------------------------

    def load(self, model: Model, adapter: Adapter | None = None) -> None:
        """See SessionLike."""
        loading = Loading(model.name, self._mailbox.put, self._engine.cancel_load)
        with self._changed:
            self._require_free()
            before, self._loading, self._opened = self._loading, loading, None
        if before:
            before.stop()
        self._ahead.cancel()
        with self._one_load:
            self._open(loading, model, adapter)

    def _open(self, loading: Loading, model: Model, adapter: Adapter | None) -> None:
        opened: OpenedModel | None = None
        try:
            if not loading.ended:
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

    def unload(self, why: str) -> None:
        """See SessionLike."""
        self._end_all()
        self._ahead.cancel()
        with self._one_load:  # a load that was stopped lets go of the engine soon
            self._engine.drop()
        self._mailbox.put(ModelReleased(why))

    @contextmanager
    def lend(self) -> Iterator[None]:
        """See SessionLike."""
        with self._changed:
            self._require_free()
            self.lent = True
        try:
            self.unload("a bench is running (F5)")
            yield
        finally:
            self.lent = False
            self._mailbox.put(ModelReleased("your next question loads the model"))

    def _require_free(self) -> None:
        if self.lent:
            raise LentError
        if self.busy:
            raise BusyError

    # --- questions ----------------------------------------------------------------------------------------

    def ask(self, turn: Turn, earlier: Sequence[Turn], begun: str = "") -> None:
        """See SessionLike."""
        run = Answering(turn, self._mailbox.put, begun)
        with self._changed:
            self._require_free()
            self._run = run
        run.begin()
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
        require_unchanged(self._wait_for_model(run), run.require_going)
        budget = self._count([chat])[0]
        budget.require_room()
        run.say(ReadingPrompt(turn.id, 0, budget.used))
        self._weigh(run, chat)
        run.follow_answer(
            self._engine.generate(
                chat, begun=run.begun, sampling=conversation.sampling(turn), max_tokens=budget.answer_room
            )
        )

    def _weigh(self, run: Answering, chat: tuple[Message, ...]) -> None:
        """The verdict first, where the question has labels: what is written then begins with it."""
        turn = run.turn
        candidates = task(turn.task).candidates(turn.question)
        if not candidates:
            return
        scored = run.follow_score(self._engine.score(chat, candidates, reuse=Reuse.LONGEST))
        probs = verdict.label_probs(scored)
        label = verdict.likeliest(probs)
        run.settle(Verdict(turn.id, label, probs), candidates[label] if label else "")

    def _wait_for_model(self, run: Answering) -> OpenedModel:
        with self._changed:
            self._changed.wait_for(lambda: run.ended or self._loading is None)
            if run.ended:
                raise StoppedError("stopped")
            if self._opened is None:
                raise UsageError("no model is loaded", fix="choose one on the model page (F4)")
            return self._opened

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
        chat = conversation.counted(name, question, earlier)
        return self._count([chat])[0] if self._opened else None

    def fitting(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Sequence[Turn]:
        """See SessionLike."""
        tails = [earlier[start:] for start in range(len(earlier) + 1)]
        budgets = self._count([conversation.messages(name, question, tail) for tail in tails])
        return next((tail for tail, budget in zip(tails, budgets, strict=True) if budget.fits), ())

    def close(self) -> None:
        """See SessionLike."""
        self._end_all()
        self._engine.close()
        self._mailbox.close()

    def _end_all(self) -> None:
        with self._changed:
            run, loading, self._opened = self._run, self._loading, None
        if run:
            run.interrupt()
        if loading:
            loading.stop()
        with self._changed:
            self._changed.notify_all()

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
