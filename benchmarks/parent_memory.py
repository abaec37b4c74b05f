"""Memory of the program's own process while `bench pubmedqa` runs; the model lies in the engine's process.

python -m benchmarks.parent_memory
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, amount
from benchmarks.program import bench
from benchmarks.setup import Setup

BAR_MEGABYTES = 120.0
MEGABYTE = 1e6
QUESTIONS = 24
WIDTH = 8
TOKENS = 16


def measure(setup: Setup) -> Sequence[Figure]:
    """Peak resident memory in two modes, over a data file of the official size."""
    generate = ("--mode", "generate", "--parallel", WIDTH, "--max-tokens", TOKENS)
    return [_peak(setup, "generate", *generate), _peak(setup, "score", "--mode", "score")]


def _peak(setup: Setup, name: str, *options: object) -> Figure:
    run = bench(setup, setup.workplace / name, "--limit", QUESTIONS, *options)
    megabytes = run.peak_rss_bytes / MEGABYTE
    return amount(f"peak memory of the parent, {name}", "MB", [megabytes], at_most=BAR_MEGABYTES)


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
