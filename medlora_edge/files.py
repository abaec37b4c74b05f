"""Files that must not be lost: whole or absent, private, and held by one process at a time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from medlora_edge.errors import InUseError


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: written beside it (mode 0600), flushed to disk, then renamed.

    Raises OSError as the disk gives it; the old content is then untouched.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)  # gone already where it took the old one's place
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in `folder` survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path, *, what: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; the kernel drops it when the process dies.

    Raises InUseError (exit 8) when another process holds it.
    """
    with path.open("a+b") as stream:
        if not _try_lock(stream):
            raise InUseError(
                f"{what} is in use by another process", where=str(path.parent), fix="wait for it, or stop it"
            )
        yield


def _try_lock(stream: IO[bytes]) -> bool:
    if os.name != "posix":
        return True
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
