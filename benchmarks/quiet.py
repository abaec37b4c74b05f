"""Two sides measured in turn, and again when other programs took processor time meanwhile.

llama.cpp's threads wait for each other at every layer, so one busy neighbour slows a batch down manifold and a
ratio of two such times means nothing.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import psutil

A = TypeVar("A")
B = TypeVar("B")

QUIET = 0.03  # share of all processor time that others may take
PATIENCE_SECONDS = 900.0  # of one measurement: what is disturbed after that is kept, and says so
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Rounds(Generic[A, B]):
    """Results of both sides, one a round. `others`: largest share of processor time others took in one of them."""

    ours: list[A]
    beside: list[B]
    others: float


def in_turn(rounds: int, ours: Callable[[], A], beside: Callable[[A], B]) -> Rounds[A, B]:
    """Call both sides alternately until `rounds` rounds were quiet.

    `beside` is given what `ours` did, so that it can do the same work. A first round warms up and does not count.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    kept: list[tuple[A, B, float]] = []
    while len(kept) <= rounds:
        wait_for_quiet(until)
        before = _reading()
        done = ours()
        other = beside(done)
        others = _others_share(before)
        if others <= QUIET or not kept or time.monotonic() > until:
            kept.append((done, other, others))
    counted = kept[1:]
    return Rounds([a for a, _, _ in counted], [b for _, b, _ in counted], max(others for _, _, others in counted))


def wait_for_quiet(until: float) -> None:
    """Return when other programs leave the processor alone, at the latest at `until` on the monotonic clock."""
    told = False
    while time.monotonic() < until:
        before = _reading()
        time.sleep(LOOK_SECONDS)
        if _others_share(before) <= QUIET:
            return
        if not told:
            print("waiting: other programs use the processor", file=sys.stderr)
            told = True


def _reading() -> tuple[float, float]:
    """Now, and the seconds that all processors have spent on other programs than this one and its children."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    busy = sum(times) - idle - counted_twice
    this = psutil.Process()
    return time.monotonic(), busy - sum(_spent(process) for process in (this, *this.children(recursive=True)))


def _spent(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])  # of itself and of its ended children, user and system each
    except psutil.NoSuchProcess:
        return 0.0


def _others_share(before: tuple[float, float]) -> float:
    now, spent = _reading()
    share = (spent - before[1]) / ((now - before[0]) * (psutil.cpu_count() or 1))
    return min(max(0.0, share), 1.0)  # the system counts in ticks: over a shorter time it may be any number
