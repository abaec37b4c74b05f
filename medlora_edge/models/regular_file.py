"""Opens files that a user names: only regular ones, without ever blocking on a pipe or a device."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from medlora_edge.errors import UsageError


def open_regular(path: Path) -> BinaryIO:
    """Open `path` for reading. Raises UsageError when it is missing, unreadable or not a regular file."""
    try:
        _require_regular(path, path.stat())
        # Between the look and the opening a pipe may take the file's place: do not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=str(path), fix="check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a possible path"
        raise UsageError(f"the file cannot be read: {reason}", where=repr(str(path))) from error
    stream = os.fdopen(descriptor, "rb")
    try:
        _require_regular(path, os.fstat(descriptor))
    except UsageError:
        stream.close()
        raise
    return stream


def _require_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise UsageError("this is a folder, not a model file", where=str(path), fix="name the .gguf file in it")
    raise UsageError(
        "this is a pipe, socket or device, not a model file", where=str(path), fix="copy the model to a file"
    )
