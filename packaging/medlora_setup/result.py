"""What a command did, for its reader and for `--json`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One sentence of result: what was done, with which version, and what its user may want to know next."""

    done: str
    version: str | None
    program: str | None = None
    previous: str | None = None
    """Version to which `rollback` goes back."""
    kept: tuple[str, ...] = ()
    """Files and folders that were left where they are, or set aside."""
