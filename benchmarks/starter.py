"""The model that ships: how soon it is there, how soon it speaks, and how fast the default mode answers with it.

python -m benchmarks.starter [--rounds N]
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.companion import Companion
from benchmarks.figure import Figure, amount, ratio
from benchmarks.generate_pubmedqa import QUESTIONS, ROUNDS, Answers, as_dicts
from benchmarks.program import bench
from benchmarks.quiet import Rounds, in_turn
from benchmarks.setup import GREEDY, Setup
from benchmarks.start_up import CHAT
from medlora_edge import models
from medlora_edge.engine.protocol import Token
from medlora_edge.errors import UsageError

LOAD_BAR_SECONDS = 1.0
FIRST_TOKEN_BAR_SECONDS = 0.3
DEFAULT_MODE_BAR = 4.0
VALID_RATE = 0.9  # below it, stopping at a decided label is no fair comparison
LONGEST = 128  # tokens an answer: the longest question has to fit the context


@dataclass(frozen=True)
class Start:
    """Seconds from no engine process to an open model, and from a short question to its first token."""

    load: float
    first_token: float


@dataclass(frozen=True)
class Stopped(Answers):
    """A run of the default mode, which stops at a decided label."""

    valid_rate: float


def measure(setup: Setup) -> Sequence[Figure]:
    """All three. Raises UsageError where no model ships."""
    shipped = replace(setup, model=model())
    starts = in_turn(setup.rounds, lambda: start(shipped), lambda _: None)
    chats = [as_dicts(chat) for chat in shipped.limited(QUESTIONS)]
    with Companion("benchmarks.paper_way", shipped.model, shipped.threads) as paper:
        rounds = in_turn(
            min(setup.rounds, ROUNDS), lambda: default_mode(shipped), lambda _: Answers(**paper.ask(chats=chats))
        )
    return [
        amount("load", "s", [one.load for one in starts.ours], at_most=LOAD_BAR_SECONDS, others=starts.others),
        amount(
            "first token of a short question",
            "s",
            [one.first_token for one in starts.ours],
            at_most=FIRST_TOKEN_BAR_SECONDS,
            others=starts.others,
        ),
        against_paper(rounds),
    ]


def model() -> Path:
    """The model that comes with the program. Raises UsageError (exit 2) where none does."""
    found = [entry.model for entry in models.shipped() if entry.model]
    if not found:
        raise UsageError("no model ships with this checkout", where="models/starter")
    return found[0].path


def start(setup: Setup) -> Start:
    """Both, once; the model file is in the system's cache."""
    n_ctx = models.read_header(setup.model).context_length
    began = time.perf_counter()
    with setup.engine(n_ctx=n_ctx) as engine:
        opened = time.perf_counter()
        pending = engine.generate(CHAT, sampling=GREEDY, max_tokens=1)
        next(event for event in pending.events() if isinstance(event, Token))
        return Start(opened - began, time.perf_counter() - opened)


def default_mode(setup: Setup) -> Stopped:
    """One run of the program as it is by default, but greedy, into a folder of its own."""
    out = Path(tempfile.mkdtemp(dir=setup.workplace, prefix="run-"))
    results = bench(setup, out, "--temperature", 0, "--max-tokens", LONGEST, "--limit", QUESTIONS).results
    timings = results["timings"]
    return Stopped(timings["generated_tokens"], timings["wall_seconds"], results["metrics"]["strict_valid_rate"])


def against_paper(rounds: Rounds[Stopped, Answers]) -> Figure:
    """Runs an hour beside the paper's way; no value where too few answers are valid."""
    name, valid = "default mode, all questions", min(one.valid_rate for one in rounds.ours)
    note = f"strict valid rate {valid:.3f}"
    if valid < VALID_RATE:
        return Figure(name, "runs/h", None, DEFAULT_MODE_BAR, note=f"{note}, {VALID_RATE} is needed to compare")
    sides: Rounds[Answers, Answers] = Rounds(list(rounds.ours), rounds.beside, rounds.others)
    return ratio(name, "runs/h", sides, lambda side: side.runs_an_hour, bar=DEFAULT_MODE_BAR, note=note)


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
