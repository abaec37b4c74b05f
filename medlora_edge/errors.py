"""What can go wrong, in words a user can act on, and the exit code that says so to a script."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes shared by every program of the project."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    CORRUPT = 3
    RESOURCES = 4
    GATE = 5
    DATA_RULE = 6
    ENGINE = 7
    IN_USE = 8
    SIGNATURE = 9
    PLATFORM = 10
    STOPPED = 130


class MedloraError(Exception):
    """An error a user can read: what was wrong, where (file, line, tensor, record), what to do about it."""

    code = ExitCode.UNEXPECTED

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  what to do: {self.fix}")
        return "\n".join(lines)


class UsageError(MedloraError):
    """Wrong arguments or settings, a missing path, or a valid file used for the wrong job."""

    code = ExitCode.USAGE


class CorruptError(MedloraError):
    """Content that is corrupt, malformed or does not match its recorded hash."""

    code = ExitCode.CORRUPT


class ResourceError(MedloraError):
    """Not enough memory or disk, or a target that cannot be written."""

    code = ExitCode.RESOURCES


class GateError(MedloraError):
    """A measured bar was not met."""

    code = ExitCode.GATE


class DataRuleError(MedloraError):
    """Data may not be used this way: a test item in training, a leak, a licence."""

    code = ExitCode.DATA_RULE


class EngineError(MedloraError):
    """The engine process failed: it died, hung, or answered that it could not go on."""

    code = ExitCode.ENGINE


class InUseError(MedloraError):
    """Another process holds what this one needs."""

    code = ExitCode.IN_USE


class PlatformError(MedloraError):
    """This machine cannot run the program, whatever is done to the files."""

    code = ExitCode.PLATFORM


class StoppedError(MedloraError):
    """The user stopped the program; what was done is kept."""

    code = ExitCode.STOPPED
