"""Run foreign code within a limit on time and memory: what a chat template may take from the engine."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_REPEAT_SECONDS = 0.25


class TimeLimitReached(BaseException):
    """The time is up. Not an Exception, so that no handler on the way swallows it."""


def bounded(call: Callable[[], T], *, seconds: float, extra_bytes: int) -> T:
    """Return `call()`, held to `seconds` of wall time and to `extra_bytes` of address space more than now.

    Raises TimeLimitReached, or MemoryError from inside `call`. Both limits are gone again afterwards. The
    time limit needs POSIX and the main thread, and acts between two Python instructions; the memory limit
    needs Linux and holds for all threads of the process. Elsewhere `call` runs without them.
    """
    if sys.platform != "linux":
        return _timed(call, seconds)
    import resource

    import psutil

    before = resource.getrlimit(resource.RLIMIT_AS)
    wanted = psutil.Process().memory_info().vms + extra_bytes
    allowed = min([wanted, *(limit for limit in before if limit != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_AS, (allowed, before[1]))
    try:
        return _timed(call, seconds)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _timed(call: Callable[[], T], seconds: float) -> T:
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return call()
    armed = True

    def on_alarm(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise TimeLimitReached

    before = signal.signal(signal.SIGALRM, on_alarm)
    # Repeated, because an exception raised inside a finaliser is dropped by Python.
    signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT_SECONDS)
    try:
        try:
            return call()
        finally:
            armed = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
