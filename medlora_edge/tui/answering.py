"""A turn being answered: what was said so far, and its end."""

from collections.abc import Callable, Mapping

from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Done, Event, Prefilling, Reason, Restarted, Scored, Token
from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.history.records import Turn, TurnState
from medlora_edge.tui.events import Ended, EngineRestarted, Queued, ReadingPrompt, Said, SessionEvent, Verdict, Weighing
from medlora_edge.tui.underway import Underway


class Answering:
    """One turn. `stop` and `interrupt` may come from any thread, in any phase. It goes on from what is `begun`."""

    def __init__(self, turn: Turn, put: Callable[[SessionEvent], None], begun: str = "") -> None:
        self.turn = turn
        self.begun = begun
        self._way = Underway(put)
        self._pending: Pending | None = None
        self._text = begun
        self._tokens = 0
        self._before_restart = ""
        self._whole: Ended | None = None

    @property
    def ended(self) -> bool:
        """Whether its end was said."""
        return self._way.ended

    def begin(self) -> None:
        """It is taken; say what is begun."""
        self.say(Queued(self.turn.id))
        self._say_begun()

    def _say_begun(self) -> None:
        if self.begun:
            self.say(Said(self.turn.id, self.begun, 0))

    def say(self, event: SessionEvent) -> None:
        """Pass an event on, unless the turn has ended."""
        self._way.say(event)

    def require_going(self, *_: int) -> None:
        """Raise StoppedError once it has ended: for work that asks at every step."""
        if self.ended:
            raise StoppedError("stopped")

    def follow_answer(self, pending: Pending) -> Done:
        """Say what the engine says, up to its last word; returns the whole answer. Raises MedloraError."""
        self._hold(pending)
        for event in pending.events():
            self._hear(event)
        done = pending.result()
        assert isinstance(done, Done)  # noqa: S101 - the answer to generate
        return done.model_copy(update={"text": self.begun + done.text})

    def follow_score(self, pending: Pending) -> Scored:
        """Wait for the label scores. Raises MedloraError."""
        self._hold(pending)
        for event in pending.events():
            if isinstance(event, Restarted):
                self.say(EngineRestarted(event.what, None))
        scored = pending.result()
        assert isinstance(scored, Scored)  # noqa: S101 - the answer to score
        return scored

    def whole(self, done: Done, label: str | None) -> None:
        """The answer is complete: whatever comes now, it is kept with its label."""
        with self._way.lock:
            self._whole = Ended(self.turn.id, _state(done), done.text, label, timings=done.timings)
            self.say(Weighing(self.turn.id))

    def done(self, done: Done) -> None:
        """The answer is complete and has no label."""
        self._way.end(Ended(self.turn.id, _state(done), done.text, timings=done.timings))

    def verdict(self, probs: Mapping[str, float], error: MedloraError | None = None) -> None:
        """Say label and probabilities, and the end."""
        assert self._whole  # noqa: S101 - only whole answers are weighed
        whole = self._whole
        self.say(Verdict(self.turn.id, whole.label, probs))
        self._way.end(
            Ended(self.turn.id, whole.state, whole.answer, whole.label, probs, timings=whole.timings, error=error)
        )

    def fail(self, error: MedloraError) -> None:
        """It cannot go on; what was said is kept."""
        self._end(TurnState.FAILED, error)

    def stop(self) -> None:
        """The user wants no more of it: end it at once, the engine follows."""
        self._end(TurnState.STOPPED)

    def interrupt(self) -> None:
        """The app goes away."""
        self._end(TurnState.INTERRUPTED)

    def _hold(self, pending: Pending) -> None:
        with self._way.lock:
            self._pending = pending
        if self.ended:
            pending.cancel()
            raise StoppedError("stopped")

    def _hear(self, event: Event) -> None:
        match event:
            case Prefilling():
                self.say(ReadingPrompt(self.turn.id, event.done, event.total))
            case Token():
                with self._way.lock:
                    if not self.ended:
                        self._text += event.text
                    self._tokens += 1
                    self.say(Said(self.turn.id, event.text, self._tokens))
            case Restarted():
                with self._way.lock:
                    self._before_restart = self._partial
                    self._text, self._tokens = self.begun, 0
                    self.say(EngineRestarted(event.what, self.turn.id))
                    self._say_begun()

    @property
    def _partial(self) -> str:
        return max(self._before_restart, self._text, key=len)

    def _end(self, state: TurnState, error: MedloraError | None = None) -> None:
        with self._way.lock:
            end = Ended(self.turn.id, state, self._partial, error=error)
            if self._whole:
                end = self._whole
                self.say(Verdict(self.turn.id, end.label, {}))
            first = self._way.end(end)
            pending = self._pending
        if first and pending:
            pending.cancel()


def _state(done: Done) -> TurnState:
    match done.reason:
        case Reason.MAX_TOKENS:
            return TurnState.CUT
        case Reason.CANCELLED:
            return TurnState.STOPPED
    return TurnState.DONE
