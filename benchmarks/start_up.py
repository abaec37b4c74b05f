"""How long one waits for `medlora-edge --help`, and from nothing to the first token.

python -m benchmarks.start_up [--rounds N]
"""

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, amount, ratio
from benchmarks.program import help_seconds
from benchmarks.quiet import in_turn
from benchmarks.setup import GREEDY, Setup, rendered
from medlora_edge.engine import Message, Role
from medlora_edge.engine.protocol import Token

HELP_BAR_SECONDS = 0.3
N_CTX = 4096
CHAT = (Message(role=Role.USER, content="What is sepsis?"),)


def measure(setup: Setup) -> Sequence[Figure]:
    """Both, a bare loop's start beside the second; the model file is in the system's cache."""
    helps = in_turn(setup.rounds, help_seconds, lambda _: None)
    starts = in_turn(setup.rounds, lambda: our_start(setup), lambda _: bare_start(setup))
    return [
        amount("medlora-edge --help", "s", helps.ours, at_most=HELP_BAR_SECONDS, others=helps.others),
        amount("start to first token", "s", starts.ours, others=starts.others),
        ratio("starts, against a bare loop's", "1/s", starts, lambda seconds: 1 / seconds),
    ]


def our_start(setup: Setup) -> float:
    """Seconds from no engine process to the first token of a short question."""
    began = time.perf_counter()
    with setup.engine(n_ctx=N_CTX) as engine:
        pending = engine.generate(CHAT, sampling=GREEDY, max_tokens=1)
        next(event for event in pending.events() if isinstance(event, Token))
        return time.perf_counter() - began


def bare_start(setup: Setup) -> float:
    """The same without protocol, templates and checks."""
    began = time.perf_counter()
    with setup.bare_loop(n_ctx=N_CTX) as bare:
        bare.ask(text=rendered(CHAT), n=1)
        return time.perf_counter() - began


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
