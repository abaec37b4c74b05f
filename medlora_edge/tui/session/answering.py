"""A turn being answered: what was said so far, and its end."""

from collections.abc import Callable

from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Done, Event, Prefilling, Reason, Restarted, Scored, Timings, Token
from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.history.records import Turn, TurnState
from medlora_edge.tui.session.events import Ended, EngineRestarted, Queued, ReadingPrompt, Said, SessionEvent, Verdict
from medlora_edge.tui.session.underway import Underway


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
        self._verdict = Verdict(turn.id, None, {})
        self._weighed = Timings()

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

    def follow_score(self, pending: Pending) -> Scored:
        """Wait for the label scores. Raises MedloraError."""
        self._follow(pending)
        scored = pending.result()
        assert isinstance(scored, Scored)  # noqa: S101 - the answer to score
        self._weighed = scored.timings
        return scored

    def settle(self, verdict: Verdict, beginning: str) -> None:
        """Say the verdict; the answer is written on from `beginning`, unless it was begun before."""
        with self._way.lock:
            self._verdict = verdict
            self.say(verdict)
            if not self.begun:
                self.begun = self._text = beginning
                self._say_begun()

    def follow_answer(self, pending: Pending) -> None:
        """Say what the engine says, up to its last word and the end of the turn. Raises MedloraError."""
        self._follow(pending)
        done = pending.result()
        assert isinstance(done, Done)  # noqa: S101 - the answer to generate
        self._way.end(self._ended(_state(done), self.begun + done.text, _together(self._weighed, done.timings)))

    def fail(self, error: MedloraError) -> None:
        """It cannot go on; what was said is kept."""
        self._end(TurnState.FAILED, error)

    def stop(self) -> None:
        """The user wants no more of it: end it at once, the engine follows."""
        self._end(TurnState.STOPPED)

    def interrupt(self) -> None:
        """The app goes away."""
        self._end(TurnState.INTERRUPTED)

    def _follow(self, pending: Pending) -> None:
        self._hold(pending)
        for event in pending.events():
            self._hear(event)

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
            first = self._way.end(self._ended(state, self._partial, error=error))
            pending = self._pending
        if first and pending:
            pending.cancel()

    def _ended(
        self, state: TurnState, text: str, timings: Timings | None = None, error: MedloraError | None = None
    ) -> Ended:
        known = self._verdict
        return Ended(self.turn.id, state, text, known.label, known.probs, timings, error)


def _together(weighed: Timings, written: Timings) -> Timings:
    """Of the verdict and the answer behind it, as of one piece of work."""
    return written.model_copy(
        update={
            "cached_tokens": weighed.cached_tokens if weighed.prompt_tokens else written.cached_tokens,
            "prefill_seconds": weighed.prefill_seconds + written.prefill_seconds,
            "total_seconds": weighed.total_seconds + written.total_seconds,
        }
    )


def _state(done: Done) -> TurnState:
    match done.reason:
        case Reason.MAX_TOKENS:
            return TurnState.CUT
        case Reason.CANCELLED:
            return TurnState.STOPPED
    return TurnState.DONE
