"""When the kept chats lock by themselves, and what may still be done then."""

import time
from collections.abc import Callable

LOCKED_ACTIONS = frozenset(
    {"escape", "interrupt", "end_of_file", "ask_quit", "help", "command_palette", "focus_next", "focus_previous"}
)


def since_boot() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps, where the system has one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Idle:
    """How long nobody has been there."""

    def __init__(self, limit_seconds: float, clock: Callable[[], float] = since_boot) -> None:
        self._limit = limit_seconds
        self._clock = clock
        self._last = clock()

    def touch(self) -> None:
        """Somebody is there."""
        self._last = self._clock()

    @property
    def over(self) -> bool:
        """Whether it has been too long."""
        return self._clock() - self._last >= self._limit
