"""Score mode: prompt tokens computed a second against the bare loop's prefill, and that nothing is computed twice.

python -m benchmarks.score_rate [--rounds N]
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure, count, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import Chat, Setup, distinct, rendered
from medlora_edge.engine import Reuse
from medlora_edge.tasks import Question, task

BAR = 0.90
N_CTX = 4096
QUESTIONS = 8  # a round


@dataclass(frozen=True)
class Prefilled:
    """Prompt tokens computed and seconds for all questions. `shared`: tokens all prompts begin with, `twice`: tokens
    computed beyond those and each prompt's own.
    """

    computed: int
    seconds: float
    shared: int = 0
    twice: int = 0

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.computed / self.seconds


def measure(setup: Setup) -> Sequence[Figure]:
    """The rate, and a count: the beginning that all prompts share is computed once."""
    chats = setup.chats(QUESTIONS)
    rounds = in_turn(setup.rounds, lambda: scored(setup, chats), lambda _: prefilled(setup, chats))
    last = rounds.ours[-1]
    return [
        ratio("prompt tokens computed", "tokens/s", rounds, lambda side: side.rate, bar=BAR),
        count("shared beginning, tokens computed twice", "tokens", last.twice, 0, note=f"{last.shared} are shared"),
    ]


def scored(setup: Setup, chats: Sequence[Chat]) -> Prefilled:
    """Score all chats with a new engine, after a warm-up of which nothing can be reused."""
    candidates = task("pubmedqa").candidates(Question("", ""))
    with setup.engine(n_ctx=N_CTX) as engine:
        engine.score(distinct(chats[0], 0), candidates, reuse=Reuse.NONE).result()
        before = engine.stats().computed_prompt_tokens
        began = time.perf_counter()
        pending = [engine.score(chat, candidates, reuse=Reuse.FIXED) for chat in chats]
        costs = [one.result().timings for one in pending]
        seconds = time.perf_counter() - began
        computed = engine.stats().computed_prompt_tokens - before
    (shared,) = {cost.cached_tokens for cost in costs}
    own = sum(cost.prompt_tokens - shared for cost in costs)
    return Prefilled(computed, seconds, shared, twice=computed - own - shared)


def prefilled(setup: Setup, chats: Sequence[Chat]) -> Prefilled:
    """Compute the same prompts one by one, whole, after a warm-up."""
    with setup.bare_loop(n_ctx=N_CTX) as bare:
        answers = [bare.ask(text=rendered(chat), n=1) for chat in (chats[0], *chats)][1:]
    return Prefilled(
        computed=sum(answer["prompt_tokens"] for answer in answers),
        seconds=sum(answer["prefill_seconds"] for answer in answers),
    )


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
