"""Runs a command of medlora-setup in a child process that kills itself at its n-th change of the disk.

Every change is one such n in the nightly run, every third in each other.
"""

import os
import signal
import sys
from collections.abc import Iterator

from medlora_setup import cli

CHANGES = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "subprocess.Popen"}
STRIDE = 1 if "MEDLORA_NIGHTLY" in os.environ else 3
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def killed_at_every_step(arguments: list[str]) -> Iterator[int]:
    """Run the command again and again, killed `STRIDE` steps later each time; ends when a run comes through.

    The caller restores the disk in between.
    """
    step = 1
    while not _comes_through(arguments, step):
        yield step
        step += STRIDE


def _comes_through(arguments: list[str], step: int) -> bool:
    child = os.fork()
    if child == 0:
        _run(arguments, step)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


def _run(arguments: list[str], step: int) -> None:
    left, fsync = step, os.fsync

    def strike() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, details: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(details[2], int) and details[2] & WRITING):
            strike()

    def counted_fsync(descriptor: int) -> None:
        strike()
        fsync(descriptor)

    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the child's own
    sys.addaudithook(hook)
    os.fsync = counted_fsync  # type: ignore[assignment]
    os._exit(cli.run(arguments))
