"""What one waits for in the app while the engine works: a key's letter, a stop, the first picture.

python -m benchmarks.app_latency [--rounds N]
"""

import math
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.app_latency_phases import Phase, Waits, home, one_round
from benchmarks.companion import environment
from benchmarks.figure import Figure, Sense
from benchmarks.program import PROGRAM
from benchmarks.quiet import Rounds, in_turn
from benchmarks.setup import Setup

ECHO_BAR_MS = 50.0
STOP_BAR_MS = 100.0
IDLE_BAR_MS = 1000.0
PAINT_BAR_MS = 1000.0
SHARE = 0.95


def measure(setup: Setup) -> Sequence[Figure]:
    """95th percentile of the keys in each phase; the slowest round's stop, last work and first picture."""
    install(setup)
    rounds = in_turn(setup.rounds, lambda: one_round(setup), lambda _: None)
    ours = rounds.ours
    return [
        _figure("start to the first picture", rounds, [waits.paint for waits in ours], PAINT_BAR_MS),
        *(_echo(phase, rounds) for phase in Phase),
        *(_figure(f"stop, {at}", rounds, [waits.stop[at] for waits in ours], STOP_BAR_MS) for at in ours[0].stop),
        *(
            _figure(f"engine's last work after a stop, {at}", rounds, [waits.idle[at] for waits in ours], IDLE_BAR_MS)
            for at in ours[0].idle
        ),
    ]


def install(setup: Setup) -> None:
    """Give the app a home with the measured model and as many threads as everything else here."""
    environ = environment() | home(setup)
    subprocess.run([PROGRAM, "models", "add", setup.model, "--name", "measured"], env=environ, check=True)
    settings = Path(home(setup)["MEDLORA_HOME"]) / "config" / "settings.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[engine]\nthreads = {setup.threads}\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _echo(phase: Phase, rounds: Rounds[Waits, None]) -> Figure:
    return _figure(
        f"key, {phase}, p95", rounds, [s for waits in rounds.ours for s in waits.echo[phase]], ECHO_BAR_MS, SHARE
    )


def _figure(name: str, rounds: Rounds[Waits, None], seconds: Sequence[float], bar: float, share: float = 1.0) -> Figure:
    ours = tuple(1000 * second for second in seconds)
    return Figure(name, "ms", percentile(ours, share), bar, Sense.AT_MOST, ours, others=rounds.others)


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
