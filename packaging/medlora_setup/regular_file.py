"""Opens a file of the bundle: never through a link, never a FIFO or a device that would wait for ever."""

import os
import stat
from io import FileIO
from pathlib import Path

from medlora_setup.errors import Code, SetupError

GET_AGAIN = "get the bundle again from where it came"


def open_regular(path: Path) -> FileIO:
    """Open `path` for reading bytes.

    Raises SetupError (exit 3) when it is missing, cannot be read, or is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(error, path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SetupError("it is no regular file", where=str(path), fix=GET_AGAIN, code=Code.CORRUPT)
    return FileIO(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a small file. Raises SetupError (exit 3) as `open_regular` does, and for more than `limit` bytes."""
    try:
        with open_regular(path) as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise unreadable(error, path) from error
    if len(data) > limit:
        what = f"the file has more than {limit} bytes, which no such file has"
        raise SetupError(what, where=str(path), fix=GET_AGAIN, code=Code.CORRUPT)
    return data


def unreadable(error: OSError, path: Path) -> SetupError:
    """Make the error (exit 3) for a file that is missing or that the stick cannot read."""
    what = "the file is missing" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error.strerror}"
    return SetupError(what, where=str(path), fix=GET_AGAIN, code=Code.CORRUPT)
