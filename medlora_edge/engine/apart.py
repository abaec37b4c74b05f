"""Run what may kill its process in a process of its own."""

import os
import signal
import traceback
from collections.abc import Callable
from typing import NoReturn

PATIENCE_SECONDS = 60


class Died(Exception):  # noqa: N818 - what happened, not what is wrong
    """The process of its own ended before it had an answer; the message is how: a signal's name or an exit code."""


def apart(work: Callable[[], str], *, seconds: int = PATIENCE_SECONDS) -> str:
    """What `work` returns when a forked process runs it. Raises Died; SIGALRM after `seconds`. POSIX only."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(work, writing, seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise Died(signal.Signals(-code).name if code < 0 else f"exit code {code}")
    return said.decode()


def _answer(work: Callable[[], str], writing: int, seconds: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        os.write(writing, work().encode())
        code = 0
    except Exception:  # noqa: BLE001 - the process's border
        traceback.print_exc()
    finally:
        os._exit(code)  # at once: the buffers and exit handlers here are copies of the parent's
