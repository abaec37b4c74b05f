"""The installed app in a terminal, brought into each phase of an answer, and what one waits for there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice

import psutil

from benchmarks.companion import environment
from benchmarks.program import PROGRAM
from benchmarks.setup import Setup
from benchmarks.terminal import Terminal
from medlora_edge.errors import EngineError

LETTERS = cycle(map(chr, range(0x13A0, 0x13F0)))  # Cherokee: no answer and no screen has them but for our keys
KEYS = 40  # in a phase
PAUSE_SECONDS = 0.05  # between two keys
REACTION_SECONDS = 0.2  # before a hand types into a screen that was just painted
ASKED = "a clinical question"  # stands in the empty prompt, its first letter under the cursor
FOOTER = "Help"  # in the line that is painted last
STOPPED = "Stopped by you."
LOAD_STOPPED = "load was stopped"
LOADS = 10  # tried, until one lasts long enough to be stopped
ENDED = ("ready (", "cut at the limit")  # in the status line: the answer ended by itself
SELECT_ALL = "\x1b[18~"  # F7
CHARACTERS = 2_000  # of a paste: seconds of prefill
ABSTRACTS = 20
IDLE_SECONDS = 0.3  # without processor time: the engine computes no more
PATIENCE_SECONDS = 20.0


class Phase(StrEnum):
    """What the engine is at."""

    LOADING = "loading"
    AHEAD = "reading ahead"
    PROMPT = "reading prompt"
    ANSWER = "answering"


@dataclass
class Waits:
    """Seconds. `echo`: from a key to its letter on the screen; `stop`: from Esc to the word that says so; `idle`: from
    Esc to the engine's last work; `paint`: from the start of the program to its whole screen.
    """

    paint: float = 0.0
    echo: dict[Phase, list[float]] = field(default_factory=dict)
    stop: dict[Phase, float] = field(default_factory=dict)
    idle: dict[Phase, float] = field(default_factory=dict)


def home(setup: Setup) -> dict[str, str]:
    """What tells the program where its home is."""
    return {"MEDLORA_HOME": str(setup.workplace / "app")}


def one_round(setup: Setup) -> Waits:
    """Every phase once."""
    waits = Waits()
    texts = _texts(setup)
    with started(setup, waits) as app:
        time.sleep(REACTION_SECONDS)
        waits.echo[Phase.LOADING] = echoes(app, lambda: shown(app, "ready"))
        app.wait_for("ready")
        waits.echo[Phase.AHEAD] = _echoes_ahead(app, next(texts))
        for phase in (Phase.PROMPT, Phase.ANSWER):
            waits.echo[phase] = _echoes_in(app, phase, next(texts))
            waits.stop[phase], waits.idle[phase] = _stop_in(app, phase, next(texts))
    waits.stop[Phase.LOADING] = _stop_while_loading(setup)
    return waits


@contextmanager
def started(setup: Setup, waits: Waits) -> Iterator[Terminal]:
    """The app, its whole screen painted, in the home that `install` made."""
    began = time.perf_counter()
    with Terminal([PROGRAM], environment() | home(setup)) as app:
        waits.paint = app.wait_for(FOOTER) - began
        yield app
        app.process.terminate()  # it waits for its engine's end, whose processor time then counts as ours
        app.process.wait(PATIENCE_SECONDS)


def echoes(app: Terminal, over: Callable[[], bool]) -> list[float]:
    """Type letters until the phase is over, at most `KEYS`; the prompt is empty afterwards."""
    found: list[float] = []
    for letter in islice(LETTERS, KEYS):
        if over():
            break
        found.append(_until(app, letter, letter))
        time.sleep(PAUSE_SECONDS)
    app.send(SELECT_ALL)
    time.sleep(PAUSE_SECONDS)
    _until(app, "\x7f", ASKED)
    return found


def shown(app: Terminal, words: str, after: int = 0) -> bool:
    """Whether `words` were written."""
    return words.encode() in app.output[after:]


def _texts(setup: Setup) -> Iterator[str]:
    """Pastes that have nothing in common: one for each phase and purpose."""
    words = " ".join(word for chat in setup.chats(ABSTRACTS) for word in chat[-1].content.split())
    for number in range(5):
        yield f"{number} {words[number * CHARACTERS : (number + 1) * CHARACTERS]}"


def _echoes_ahead(app: Terminal, text: str) -> list[float]:
    """Type behind a paste that is being computed."""
    before = _paste(app, text)
    app.wait_for(Phase.AHEAD, after=before)
    return echoes(app, lambda: shown(app, "read ahead", before))


def _echoes_in(app: Terminal, phase: Phase, text: str) -> list[float]:
    """Ask, and type until it is over; then begin a new chat."""
    before = _ask(app, phase, text)
    next_phase = (Phase.ANSWER,) if phase is Phase.PROMPT else ENDED
    found = echoes(app, lambda: any(shown(app, words, before) for words in next_phase))
    if not any(shown(app, words, before) for words in ENDED):
        _until(app, "\x1b", STOPPED)
    app.send("\x0e")
    return found


def _stop_in(app: Terminal, phase: Phase, text: str) -> tuple[float, float]:
    """Ask and stop: seconds until it is seen, and until the engine's last work."""
    _ask(app, phase, text)
    began = time.perf_counter()
    seen = _until(app, "\x1b", STOPPED)
    idle = max(0.0, _engine_idle(app) - began)
    app.send("\x0e")
    return seen, idle


def _stop_while_loading(setup: Setup) -> float:
    """Start and stop the load: seconds until it is seen. A small model is often ready before the key arrives.

    Raises EngineError when it always was.
    """
    for _ in range(LOADS):
        with started(setup, Waits()) as app:
            app.wait_for(Phase.LOADING)
            sent = app.send("\x1b")
            seen = app.wait_for("ready", LOAD_STOPPED)
            if shown(app, LOAD_STOPPED):
                return seen - sent
    raise EngineError(f"the model was ready before it could be stopped, {LOADS} times")


def _ask(app: Terminal, phase: Phase, text: str) -> int:
    """Ask and wait for the phase; returns the bytes written before."""
    before = _paste(app, text)
    app.send("\r")
    app.wait_for(phase, after=before)
    return before


def _paste(app: Terminal, text: str) -> int:
    """Paste and see it; returns the bytes written before."""
    before = len(app.output)
    app.send(f"\x1b[200~{text}\x1b[201~")
    app.wait_for(text.rsplit(maxsplit=1)[-1], after=before)
    time.sleep(2 * PAUSE_SECONDS)  # Enter right behind a paste is part of it
    return before


def _until(app: Terminal, keys: str, words: str) -> float:
    """Seconds from a key to words."""
    before = len(app.output)
    sent = app.send(keys)
    return app.wait_for(words, after=before) - sent


def _engine_idle(app: Terminal) -> float:
    """When the engine last computed."""
    (engine,) = psutil.Process(app.process.pid).children()
    spent, last = -1.0, time.perf_counter()
    while (now := time.perf_counter()) - last < IDLE_SECONDS:
        if sum(engine.cpu_times()[:2]) > spent + 0.02:
            spent, last = sum(engine.cpu_times()[:2]), now
        time.sleep(0.005)
    return last
