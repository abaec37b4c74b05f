"""How long the app lets one wait for the first token when it has read the pasted abstract before Enter.

python -m benchmarks.typed_ahead [--rounds N]
"""

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from statistics import median
from threading import Event, Thread

from benchmarks.figure import Figure, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import Setup
from medlora_edge import models
from medlora_edge.engine import Engine
from medlora_edge.errors import EngineError
from medlora_edge.history.records import Turn, TurnState
from medlora_edge.settings import EngineSettings
from medlora_edge.tasks import Question
from medlora_edge.tui.session.events import Ended, Said, SessionEvent
from medlora_edge.tui.session.session import Session

BAR = 5.0
N_CTX = 4096
ABSTRACTS = 20
ABSTRACT_TOKENS = 400
TIMES = 3  # on each side, a round
READING_SECONDS = 10.0  # between paste and Enter
QUESTION = "\n\nDoes this hold for children as well?"
NUMBERS = count(1)


class Watch:
    """Notes when the first word of a turn is on the screen."""

    def __init__(self) -> None:
        self._turn = 0
        self._spoken = Event()
        self._when = 0.0
        self._end: Ended | None = None

    def begin(self, turn: Turn) -> None:
        """What other turns say does not count from here on."""
        self._turn = turn.id
        self._spoken.clear()

    def __call__(self, event: SessionEvent) -> None:
        """Hear what the session says."""
        if isinstance(event, Said | Ended) and event.turn == self._turn and not self._spoken.is_set():
            self._when = time.perf_counter()
            self._end = event if isinstance(event, Ended) else None
            self._spoken.set()

    def first_word(self) -> float:
        """Wait for it. Raises EngineError when the turn ended without one."""
        self._spoken.wait()
        if self._end:
            raise EngineError(f"nothing was said: {self._end.error}")
        return self._when


def measure(setup: Setup) -> Sequence[Figure]:
    """From Enter to the first token, computed ahead against not."""
    with opened(setup) as (session, watch):
        pastes = iter(abstracts(setup, session))
        rounds = in_turn(
            setup.rounds,
            lambda: middle_wait(session, watch, pastes, ahead=True),
            lambda _: middle_wait(session, watch, pastes, ahead=False),
        )
    return [ratio("first tokens", "1/s", rounds, lambda seconds: 1 / seconds, bar=BAR)]


@contextmanager
def opened(setup: Setup) -> Iterator[tuple[Session, Watch]]:
    """The app's session with the model loaded, in a home of its own."""
    watch = Watch()
    settings = EngineSettings(context=N_CTX, threads=setup.threads)
    session = Session(watch, settings=settings, engine=Engine(log=setup.workplace / "engine.log"))
    home = os.environ.get("MEDLORA_HOME")
    os.environ["MEDLORA_HOME"] = str(setup.workplace / "home")
    try:
        session.load(models.find(str(setup.model)))
        yield session, watch
    finally:
        session.close()
        del os.environ["MEDLORA_HOME"]
        os.environ.update({"MEDLORA_HOME": home} if home else {})


def middle_wait(session: Session, watch: Watch, pastes: Iterator[str], *, ahead: bool) -> float:
    """The median of `TIMES` waits: a wait for computed tokens is so short that one hiccup would double it."""
    return median(wait_seconds(session, watch, paste, ahead=ahead) for paste in islice(pastes, TIMES))


def wait_seconds(session: Session, watch: Watch, paste: str, *, ahead: bool) -> float:
    """Seconds from Enter to the first token, `READING_SECONDS` after the paste or as soon as it is all computed."""
    reading = Thread(target=session.prefill, args=("ask", Question("", paste), ()))
    if ahead:
        reading.start()
        reading.join(READING_SECONDS)
    turn = asked(paste + QUESTION)
    watch.begin(turn)
    entered = time.perf_counter()
    asking = Thread(target=session.ask, args=(turn, ()))
    asking.start()
    try:
        return watch.first_word() - entered
    finally:
        session.stop()
        asking.join()


def abstracts(setup: Setup, session: Session) -> Iterator[str]:
    """Texts of `ABSTRACT_TOKENS` tokens without end, each with a first word of its own, so that no cache knows it."""
    found = [chat[-1].content for chat in setup.chats(ABSTRACTS)]
    for number in count():
        words = f"{number:04} {found[number % ABSTRACTS]} {found[(number + 1) % ABSTRACTS]}".split(" ")
        size = bisect_right(range(len(words)), ABSTRACT_TOKENS, key=lambda n: tokens(session, words[:n]))
        yield " ".join(words[: size - 1])


def tokens(session: Session, words: Sequence[str]) -> int:
    """Tokens of the words alone. Raises EngineError when the model could not be loaded."""
    budgets = [session.budget("ask", Question("", " ".join(text)), ()) for text in (["x"], ["x", *words])]
    one, other = (budget.used if budget else 0 for budget in budgets)
    if not one:
        raise EngineError("the model could not be loaded")
    return other - one


def asked(text: str) -> Turn:
    """A turn as the store hands it out."""
    return Turn(
        id=next(NUMBERS),
        chat=1,
        task="ask",
        question=Question("", text),
        answer="",
        state=TurnState.WAITING,
        label=None,
        label_probs={},
        retry_of=None,
        timings=None,
        asked=datetime.now(UTC),
        model_sha256="",
        prompts_sha256="",
    )


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
