"""How long the program of an installed bundle takes to start, beside the one installed from source.

MEDLORA_BUNDLE=FOLDER python -m benchmarks.installed_start [--rounds N]
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.companion import environment
from benchmarks.figure import Figure, Sense
from benchmarks.installed import WANTED, bundle_folder, installed
from benchmarks.program import PROGRAM
from benchmarks.quiet import in_turn
from benchmarks.setup import Setup

BAR = 1.2  # times a source install
COMMANDS = ("--help", "doctor")  # nothing but Python; the engine's process and its libraries too


def measure(setup: Setup) -> Sequence[Figure]:
    """Seconds of both programs' commands; files are in the system's cache."""
    bundle = bundle_folder()
    if bundle is None:
        return [Figure(_name(command), "s", None, BAR, Sense.AT_MOST, note=WANTED) for command in COMMANDS]
    program = installed(setup, bundle)
    return [_figure(setup, program, command) for command in COMMANDS]


def _figure(setup: Setup, program: Path, command: str) -> Figure:
    rounds = in_turn(setup.rounds, lambda: seconds(program, command, setup), lambda _: seconds(PROGRAM, command, setup))
    ours, beside = tuple(rounds.ours), tuple(rounds.beside)
    times = median(one / other for one, other in zip(ours, beside, strict=True))
    return Figure(_name(command), "s", times, BAR, Sense.AT_MOST, ours, beside, rounds.others)


def _name(command: str) -> str:
    return f"installed medlora-edge {command}, times a source install"


def seconds(program: Path, command: str, setup: Setup) -> float:
    """Wall time of one command; both programs share one home."""
    home = {"MEDLORA_HOME": str(setup.workplace / "home")}
    began = time.perf_counter()
    subprocess.run([program, command], stdout=subprocess.DEVNULL, env=environment() | home, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
