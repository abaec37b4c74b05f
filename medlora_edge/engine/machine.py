"""What the engine process asks of the machine: cores, its own memory, a low priority."""

import os
import signal
from contextlib import suppress
from pathlib import Path

NICE = 5  # the app's keys and screen come first
OOM_SCORE = "500"  # when memory runs out the engine dies, never the app


def physical_cores() -> int:
    """Physical cores this process may run on: hyper-threads only slow llama.cpp down."""
    import psutil

    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, allowed or 1))


def memory() -> tuple[int, int]:
    """Resident bytes of this process, now and at most so far."""
    import psutil

    now = psutil.Process().memory_info().rss
    if os.name != "posix":
        return now, getattr(psutil.Process().memory_info(), "peak_wset", now)
    import resource

    unit = 1024 if os.uname().sysname == "Linux" else 1
    return now, max(now, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def make_background() -> None:
    """Be polite and harmless: low priority, first to go when memory runs out, no core file with a prompt in it."""
    if os.name != "posix":
        return
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the app's to handle
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
