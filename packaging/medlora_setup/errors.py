"""What can go wrong on the laptop, in words its reader can act on, and the exit code that says so to a script."""

from enum import IntEnum
from pathlib import Path


class Code(IntEnum):
    """Exit codes, the same as those of every other program of the project."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    CORRUPT = 3
    RESOURCES = 4
    GATE = 5
    ENGINE = 7
    IN_USE = 8
    SIGNATURE = 9
    PLATFORM = 10
    STOPPED = 130


class SetupError(Exception):
    """An error a user can read: what was wrong, where (file, field, entry), what to do, and the exit code."""

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, code: Code) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.code = code

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  what to do: {self.fix}")
        return "\n".join(lines)


def not_written(error: OSError, path: Path) -> SetupError:
    """Make the error (exit 4) for a disk that is full, read-only or failing where `path` was to be written."""
    return SetupError(
        f"the disk refused to write: {error.strerror or error}",
        where=str(path),
        fix="free space, or choose another place with --prefix",
        code=Code.RESOURCES,
    )
