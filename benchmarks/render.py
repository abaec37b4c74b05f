"""What it costs the app to show an answer of 4,000 tokens while it comes at 40 tokens a second.

python -m benchmarks.render [--rounds N]
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from benchmarks.companion import environment
from benchmarks.figure import Figure, amount, count
from benchmarks.quiet import in_turn
from benchmarks.setup import Setup
from benchmarks.terminal import Terminal
from medlora_edge.errors import EngineError

SHARE_BAR = 15.0  # per cent of one core
FRAME_BAR = 0.1  # s
ROUNDS = 2  # of 100 s each
COLUMNS, ROWS = 120, 40
PATIENCE_SECONDS = 300


class Took(TypedDict):
    """What the app's process measured of itself."""

    share: float
    longest: float
    same: bool


def measure(setup: Setup) -> Sequence[Figure]:
    """Processor time of the app's process, the engine's not in it, in a terminal that takes all it writes."""
    rounds = in_turn(min(setup.rounds, ROUNDS), lambda: stream(setup.workplace / "render.json"), lambda _: None)
    changed = sum(not took["same"] for took in rounds.ours)
    return [
        amount(
            "share of one core",
            "%",
            [100 * took["share"] for took in rounds.ours],
            at_most=SHARE_BAR,
            others=rounds.others,
        ),
        amount(
            "longest time the screen's thread computed at a stretch",
            "s",
            [took["longest"] for took in rounds.ours],
            at_most=FRAME_BAR,
        ),
        count("answers kept other than they were streamed", "", changed, 0),
    ]


def stream(out: Path) -> Took:
    """One answer, from its first token to its last. Raises EngineError when the app failed."""
    out.unlink(missing_ok=True)
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.render_side", out]
    home = {"MEDLORA_HOME": str(out.parent / "home")}
    with Terminal(command, environment() | home, columns=COLUMNS, rows=ROWS) as terminal:
        code = terminal.process.wait(PATIENCE_SECONDS)
    if code or not out.exists():
        raise EngineError(f"the app ended with code {code}", where=repr(terminal.output[-500:]))
    took: Took = json.loads(out.read_text())
    return took


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
