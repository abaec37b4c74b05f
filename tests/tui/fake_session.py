"""A session that plays a script: what the UI tests talk to instead of a model. It never sleeps.

    fake = FakeSession(app_post)
    fake.script(Say("Sepsis "), Gate("more"), Say("is an infection."))
    fake.release("more")

Without a script a turn is answered with "An answer.". A script ends its turn as DONE unless a step ended it before.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, RLock
from types import MappingProxyType

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import EngineError, MedloraError, StoppedError
from medlora_edge.history.records import TaskName, Turn, TurnState
from medlora_edge.models import Adapter, Model, Stage
from medlora_edge.tasks import Question
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
    ReadingPrompt,
    Said,
    SessionEvent,
    Verdict,
)
from medlora_edge.tui.session.mailbox import Mailbox
from medlora_edge.tui.session.session_like import BusyError, LentError
from tests.tui.waiting import PATIENCE_SECONDS

TIMINGS = Timings(
    prompt_tokens=120,
    cached_tokens=20,
    generated_tokens=51,
    prefill_seconds=1.0,
    decode_seconds=5.0,
    total_seconds=6.0,
)


@dataclass(frozen=True)
class Say:
    """One more piece of the answer."""

    text: str


@dataclass(frozen=True)
class Read:
    """Prompt progress."""

    done: int
    total: int


@dataclass(frozen=True)
class Gate:
    """Wait until the test releases it by name; a stop ends the wait too."""

    name: str


@dataclass(frozen=True)
class Hang:
    """Wait for a stop or a close that has to come."""


@dataclass(frozen=True)
class Label:
    """The verdict is known."""

    label: str | None
    probs: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Crash:
    """The engine dies and is started again: the answer begins anew."""

    why: str = "the engine died (SIGKILL): it was killed from outside"


@dataclass(frozen=True)
class Fail:
    """The turn ends with an error in the middle of its stream."""

    error: MedloraError = field(default_factory=lambda: EngineError("the engine died (SIGSEGV)"))


@dataclass(frozen=True)
class End:
    """The turn ends in this state."""

    state: TurnState = TurnState.DONE
    timings: Timings | None = TIMINGS


Step = Say | Read | Gate | Hang | Label | Crash | Fail | End


class FakeSession:
    """Same surface as Session; `post` is called from one thread here as well.

    `asked`, `loaded`, `ahead` are what came in; `window` is the context's size, a token a word;
    `load_steps`: fractions to tell and gates to pass, then what `cannot_load` says, or readiness.
    """

    def __init__(self, post: Callable[[SessionEvent], None]) -> None:
        self._mailbox = Mailbox(post)
        self._post = self._mailbox.put
        self._scripts: deque[Sequence[Step]] = deque()
        self._changed = Condition(RLock())
        self._released: set[str] = set()
        self._turn: Turn | None = None
        self._text = self._begun = ""
        self._tokens = 0
        self._label: Label | None = None
        self._loading: Model | None = None
        self.model: Model | None = None
        self.asked: list[tuple[Turn, tuple[Turn, ...]]] = []
        self.loaded: list[Model] = []
        self.ahead: list[tuple[TaskName, Question, tuple[Turn, ...]]] = []
        self.window = 4096
        self.load_steps: Sequence[float | Gate] = (0.5, 1.0)
        self.cannot_load: Callable[[Model], MedloraError | None] = lambda model: None
        self.warning: str | None = None
        self.notes: tuple[str, ...] = ()
        self.closed = False
        self.lent = False

    # --- what tests do ------------------------------------------------------------------------------------

    def script(self, *steps: Step) -> None:
        """What the next turn without a script plays."""
        self._scripts.append(steps)

    def release(self, name: str) -> None:
        """Open a gate, now or for when it is reached."""
        with self._changed:
            self._released.add(name)
            self._changed.notify_all()

    # --- what the app does --------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._turn is not None

    def load(self, model: Model, adapter: Adapter | None = None) -> None:
        """Play `load_steps`."""
        with self._changed:
            self._require_free()
            self.loaded.append(model)
            self.model, self._loading = None, model
        for step in self.load_steps:
            if isinstance(step, Gate):
                self._pass(step.name, lambda: self._loading is not model)
            else:
                self._post_if(self._loading is model, LoadingModel(model.name, Stage.LOADING, step))
        with self._changed:
            if self._loading is not model:
                return
            self._loading = None
            if error := self.cannot_load(model):
                self._post(ModelFailed(model.name, error))
            else:
                self.model = model
                self._post(ModelReady(model.name, model.manifest.sha256, self.window, self.warning, self.notes))
            self._changed.notify_all()

    def ask(self, turn: Turn, earlier: Sequence[Turn], begun: str = "") -> None:
        """Play the next script."""
        with self._changed:
            self._require_free()
            self._turn, self._text, self._tokens, self._label = turn, begun, 0, None
            self._begun = begun
            self.asked.append((turn, tuple(earlier)))
            steps = self._scripts.popleft() if self._scripts else (Say("An answer."),)
        self._post(Queued(turn.id))
        self._say_begun(turn)
        self._wait(lambda: self._loading is None or self._turn is not turn)
        for step in (*steps, End()):
            if self._turn is not turn:
                return
            self._play(turn, step)

    def stop(self) -> None:
        """End the turn, else the load."""
        with self._changed:
            if self._turn:
                self._end(self._turn, TurnState.STOPPED)
            elif self._loading:
                name, self._loading = self._loading.name, None
                self._post(ModelFailed(name, StoppedError("stopped")))
            self._changed.notify_all()

    def prefill(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> None:
        """Note it; every word is a token."""
        if self.busy or self.model is None:
            return
        self.ahead.append((name, question, tuple(earlier)))
        self._post(Prefilled(self._words(question, ())))

    def stop_prefill(self) -> None:
        """Nothing is ever under way."""

    def budget(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Budget | None:
        """Every word is a token."""
        return Budget(self._words(question, earlier), self.window) if self.model else None

    def fitting(self, name: TaskName, question: Question, earlier: Sequence[Turn]) -> Sequence[Turn]:
        """Drop the oldest until it fits."""
        kept = tuple(earlier)
        while kept and not Budget(self._words(question, kept), self.window).fits:
            kept = kept[1:]
        return kept

    def unload(self, why: str) -> None:
        """End everything; `load` begins anew."""
        with self._changed:
            if self._turn:
                self._end(self._turn, TurnState.INTERRUPTED)
            self._loading = self.model = None
            self._post(ModelReleased(why))
            self._changed.notify_all()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Released and refused."""
        with self._changed:
            self._require_free()
            self.lent = True
        try:
            self.unload("a bench is running (F5)")
            yield
        finally:
            self.lent = False
            self._post(ModelReleased("your next question loads the model"))

    def _require_free(self) -> None:
        if self.lent:
            raise LentError
        if self.busy:
            raise BusyError

    def close(self) -> None:
        """End everything."""
        with self._changed:
            self.closed = True
            if self._turn:
                self._end(self._turn, TurnState.INTERRUPTED)
            self._loading = None
            self._changed.notify_all()
        self._mailbox.close()

    # --- the play -----------------------------------------------------------------------------------------

    def _play(self, turn: Turn, step: Step) -> None:
        match step:
            case Gate(name):
                self._pass(name, lambda: self._turn is not turn)
            case Hang():
                self._wait(lambda: self._turn is not turn)
            case _:
                with self._changed:
                    if self._turn is turn:
                        self._say(turn, step)

    def _say(self, turn: Turn, step: Say | Read | Label | Crash | Fail | End) -> None:
        match step:
            case Say(text):
                self._text += text
                self._tokens += 1
                self._post(Said(turn.id, text, self._tokens))
            case Read(done, total):
                self._post(ReadingPrompt(turn.id, done, total))
            case Label(label, probs):
                self._label = step
                self._post(Verdict(turn.id, label, probs))
            case Crash(why):
                self._text, self._tokens = self._begun, 0
                self._post(EngineRestarted(why, turn.id))
                self._say_begun(turn)
            case Fail(error):
                self._end(turn, TurnState.FAILED, error=error)
            case End(state, timings):
                self._end(turn, state, timings=timings)

    def _say_begun(self, turn: Turn) -> None:
        if self._begun:
            self._post(Said(turn.id, self._begun, 0))

    def _end(
        self, turn: Turn, state: TurnState, *, timings: Timings | None = None, error: MedloraError | None = None
    ) -> None:
        known = self._label or Label(None)
        self._turn = None
        self._post(Ended(turn.id, state, self._text, known.label, known.probs, timings, error))
        self._changed.notify_all()

    def _post_if(self, holds: bool, event: SessionEvent) -> None:
        if holds:
            self._post(event)

    def _pass(self, gate: str, given_up: Callable[[], bool]) -> None:
        self._wait(lambda: gate in self._released or given_up())

    def _wait(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: holds() or self.closed, PATIENCE_SECONDS):
                raise AssertionError("the test never released, stopped or closed what the script waits for")

    @staticmethod
    def _words(question: Question, earlier: Sequence[Turn]) -> int:
        texts = [question.question, *question.contexts, *question.options.values()]
        for turn in earlier:
            texts += [turn.question.question, *turn.question.contexts, turn.answer]
        return sum(len(text.split()) for text in texts)
