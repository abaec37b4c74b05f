"""Many sequences, not streamed: decode at widths 8, 16 and 32 against `llama-batched-bench`.

    python -m benchmarks.decode_many [--rounds N]

Prompts share nothing, each sequence has a KV cache of its own, and both sides are compared over steps in which every
sequence speaks. The engine begins to decode while later prompts are still computed; what was said before the last of
them counts as prompt on the other side, so that both caches are equally full.
"""

import itertools
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks import batched_bench
from benchmarks.batched_bench import Shape
from benchmarks.figure import Figure, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import GREEDY, N_BATCH, Chat, Setup, distinct, shortened
from medlora_edge.engine import Engine, Reuse
from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Reported
from medlora_edge.errors import EngineError

BAR = 0.90
WIDTHS = (8, 16, 32)
ROUNDS = 5  # each of them is long
CHARACTERS = 500  # of a question: about 250 prompt tokens
GENERATED = 128
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Look:
    """The engine's counters at one moment, in seconds."""

    at: float
    steps: int
    generated: int


@dataclass(frozen=True)
class Stretch:
    """Steps in which every sequence spoke. `before`: tokens that each had said by then, on average."""

    before: float
    steps: int
    rate: float


def measure(setup: Setup) -> Sequence[Figure]:
    """Tokens decoded a second, all sequences together, for each width."""
    batched_bench.program()
    return [_one_width(setup, width) for width in WIDTHS]


def _one_width(setup: Setup, width: int) -> Figure:
    chats = [shortened(distinct(chat, number), CHARACTERS) for number, chat in enumerate(setup.chats(width))]
    lengths = setup.lengths(chats)

    def ours() -> Stretch:
        with setup.engine(n_ctx=width * (max(lengths) + GENERATED), n_seq_max=width) as engine:
            return many(engine, chats)

    def beside(done: Stretch) -> Stretch:
        shape = Shape(width, prompt_tokens=round(mean(lengths) + done.before), generated=done.steps)
        rate = batched_bench.decode_rate(setup.model, shape, n_batch=N_BATCH, threads=setup.threads)
        return Stretch(done.before, done.steps, rate)

    rounds = in_turn(min(setup.rounds, ROUNDS), ours, beside)
    return ratio(f"decode, {width} sequences", "tokens/s", rounds, lambda stretch: stretch.rate, bar=BAR)


def many(engine: Engine, chats: Sequence[Chat]) -> Stretch:
    """Answer all chats at once."""
    pending = [
        engine.generate(chat, sampling=GREEDY, max_tokens=GENERATED, stream=False, reuse=Reuse.NONE) for chat in chats
    ]
    looks = watch(engine, pending)
    return full_width(looks, len(chats))


def watch(engine: Engine, pending: Sequence[Pending]) -> list[Look]:
    """Look at the counters until every request has ended. Raises the MedloraError that fits a failure."""
    looks = [look(engine.stats())]
    with ThreadPoolExecutor(1) as waiter:
        ended = waiter.submit(lambda: [one.result() for one in pending])
        while not ended.done():
            time.sleep(LOOK_SECONDS)
            looks.append(look(engine.stats()))
    ended.result()
    return looks


def look(reported: Reported) -> Look:
    """The counters that matter here, now."""
    return Look(time.perf_counter(), reported.steps, reported.generated_tokens)


def full_width(looks: Sequence[Look], width: int) -> Stretch:
    """The stretch between looks in which every step decoded one token of each sequence.

    Raises EngineError when there was none.
    """
    pairs = itertools.pairwise(looks)
    full = [(a, b) for a, b in pairs if 0 < b.generated - a.generated == width * (b.steps - a.steps)]
    if not full:
        raise EngineError(f"the engine never decoded {width} sequences at once")
    first, last = full[0][0], full[-1][1]
    return Stretch(
        before=(first.generated - looks[0].generated) / width,
        steps=last.steps - first.steps,
        rate=(last.generated - first.generated) / (last.at - first.at),
    )


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
