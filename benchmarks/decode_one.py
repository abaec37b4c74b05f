"""One sequence, streamed to the app: prefill and decode against a bare loop over llama_decode.

python -m benchmarks.decode_one [--rounds N]
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, count, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import GREEDY, Chat, Setup, rendered
from medlora_edge.engine import Engine, Message, Reuse, Role
from medlora_edge.engine.protocol import Token

BAR = 0.97
N_CTX = 4096
TURNS = 3  # a round
GENERATED = 128
OTHER = (Message(role=Role.USER, content="x"),)


@dataclass(frozen=True)
class Turn:
    """Tokens computed and seconds until the first token, tokens after that one and their seconds."""

    prompt_tokens: int
    prefill_seconds: float
    generated_tokens: int
    decode_seconds: float

    @property
    def prefill_rate(self) -> float:
        """Tokens a second."""
        return self.prompt_tokens / self.prefill_seconds

    @property
    def decode_rate(self) -> float:
        """Tokens a second."""
        return self.generated_tokens / self.decode_seconds


def measure(setup: Setup) -> Sequence[Figure]:
    """Prefill and decode rates, and a check that both sides did the same work.

    Each round starts both processes afresh: where a process happens to lie in memory moves its speed by some percent.
    """
    chats = setup.chats(TURNS + 1)
    rounds = in_turn(setup.rounds, lambda: streamed_turns(setup, chats), lambda _: bare_turns(setup, chats))
    work = [sum(turn.prompt_tokens + turn.generated_tokens for turn in side) for side in (rounds.ours, rounds.beside)]
    return [
        ratio("prefill", "tokens/s", rounds, lambda turn: turn.prefill_rate, bar=BAR),
        ratio("decode", "tokens/s", rounds, lambda turn: turn.decode_rate, bar=BAR),
        count("computed on both sides", "tokens", *work),
    ]


def streamed_turns(setup: Setup, chats: Sequence[Chat]) -> Turn:
    """All chats one after the other in a new engine; the first warms up."""
    with setup.engine(n_ctx=N_CTX) as engine:
        return together([streamed(engine, chat) for chat in chats][1:])


def bare_turns(setup: Setup, chats: Sequence[Chat]) -> Turn:
    """The same in a new bare loop."""
    with setup.bare_loop(n_ctx=N_CTX) as bare:
        return together([bare_turn(bare.ask(text=rendered(chat), n=GENERATED)) for chat in chats][1:])


def together(turns: Sequence[Turn]) -> Turn:
    """The sum of several turns."""
    return Turn(
        prompt_tokens=sum(turn.prompt_tokens for turn in turns),
        prefill_seconds=sum(turn.prefill_seconds for turn in turns),
        generated_tokens=sum(turn.generated_tokens for turn in turns),
        decode_seconds=sum(turn.decode_seconds for turn in turns),
    )


def streamed(engine: Engine, chat: Chat) -> Turn:
    """One answer, timed where its tokens arrive: in the app's process. The chat's beginning is not in the cache."""
    engine.generate(OTHER, max_tokens=1, reuse=Reuse.NONE).result()
    began = time.perf_counter()
    pending = engine.generate(chat, sampling=GREEDY, max_tokens=GENERATED)
    arrived = [time.perf_counter() for event in pending.events() if isinstance(event, Token)]
    cost = pending.result().timings
    return Turn(
        prompt_tokens=cost.prompt_tokens - cost.cached_tokens,
        prefill_seconds=arrived[0] - began,
        generated_tokens=len(arrived) - 1,
        decode_seconds=arrived[-1] - arrived[0],
    )


def bare_turn(answer: dict[str, Any]) -> Turn:
    """The same of the bare loop's answer."""
    return Turn(
        prompt_tokens=answer["prompt_tokens"],
        prefill_seconds=answer["prefill_seconds"],
        generated_tokens=len(answer["tokens"]) - 1,
        decode_seconds=answer["decode_seconds"],
    )


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
