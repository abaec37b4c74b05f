"""`medlora-edge bench pubmedqa --mode generate`, greedy, against the paper's way over the same questions.

    python -m benchmarks.generate_pubmedqa [--rounds N]

Time counts from the first question to the last answer: loading, on both sides, does not.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.companion import Companion
from benchmarks.figure import Figure, ratio
from benchmarks.paper_way import MAX_TOKENS
from benchmarks.program import bench
from benchmarks.quiet import in_turn
from benchmarks.setup import Chat, Setup

FULL_BAR = 2.0
QUESTIONS = 32
ROUNDS = 2  # each takes minutes


@dataclass(frozen=True)
class Answers:
    """Tokens generated and seconds, for all questions."""

    generated_tokens: int
    seconds: float

    @property
    def runs_an_hour(self) -> float:
        """How often all the questions can be answered in an hour."""
        return 3600 / self.seconds

    @property
    def decode_rate(self) -> float:
        """Tokens generated a second, prefill included."""
        return self.generated_tokens / self.seconds


def measure(setup: Setup) -> Sequence[Figure]:
    """Wall time of `--full`; the same per generated token. Early stopping needs a trained model: `starter`."""
    chats = [as_dicts(chat) for chat in setup.limited(QUESTIONS)]
    with Companion("benchmarks.paper_way", setup.model, setup.threads) as paper:
        rounds = in_turn(
            min(setup.rounds, ROUNDS),
            lambda: full_run(setup),
            lambda _: Answers(**paper.ask(chats=chats)),
        )
    return [
        ratio("--full, all questions", "runs/h", rounds, lambda side: side.runs_an_hour, bar=FULL_BAR),
        ratio("--full, per generated token", "tokens/s", rounds, lambda side: side.decode_rate),
        ratio("tokens generated", "tokens", rounds, lambda side: side.generated_tokens, note="1.0: the same work"),
    ]


def full_run(setup: Setup) -> Answers:
    """One run of the program, into a folder of its own."""
    out = Path(tempfile.mkdtemp(dir=setup.workplace, prefix="run-"))
    options = ("--mode", "generate", "--temperature", 0, "--max-tokens", MAX_TOKENS, "--full", "--limit", QUESTIONS)
    timings = bench(setup, out, *options).results["timings"]
    return Answers(timings["generated_tokens"], timings["wall_seconds"])


def as_dicts(chat: Chat) -> list[dict[str, Any]]:
    """A chat as the library takes it."""
    return [{"role": message.role, "content": message.content} for message in chat]


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
