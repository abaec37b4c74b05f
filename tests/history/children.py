"""Deaths and full disks at a chosen byte: the kernel's file size limit stops a write in its middle."""

import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Acknowledge = Callable[[str], None]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes in the block, as on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def in_child(
    work: Callable[[Acknowledge], None], *, die_at_size: int | None = None, kill_after: int | None = None
) -> tuple[list[str], bool]:
    """Run `work` in a process of its own; what it acknowledged, and whether it was killed.

    `die_at_size`: the write that takes any file beyond that many bytes is torn there and kills it.
    `kill_after`: kill -9 once so many words were acknowledged.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, writer, die_at_size)
    os.close(writer)
    acknowledged = []
    with os.fdopen(reader) as words:
        for word in words:
            acknowledged.append(word.rstrip("\n"))
            if len(acknowledged) == kill_after:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed in another way: see its traceback"
    return acknowledged, os.WIFSIGNALED(status)


def _work(work: Callable[[Acknowledge], None], writer: int, die_at_size: int | None) -> None:
    def acknowledge(word: str) -> None:
        os.write(writer, f"{word}\n".encode())

    code = 1
    try:
        if die_at_size is not None:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (die_at_size, die_at_size))
        work(acknowledge)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child must not run on as pytest
        traceback.print_exc()
    finally:
        os._exit(code)
