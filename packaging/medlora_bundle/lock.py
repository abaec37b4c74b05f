"""`lock.json`: every file that a bundle is made from, with its SHA-256, and the state of the source."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from build_tools.manifest import sha256_of_file
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.files import write_atomic

FILE_NAME = "lock.json"
MAX_BYTES = 1 << 20
PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Purpose(StrEnum):
    """What a locked file is for, and the name of its folder beside the lock."""

    APP = "app"
    BUILD = "build"
    INSTALLER = "installer"


class Locked(_Part):
    """One file: distribution, version, file name, SHA-256 in hexadecimal, purpose."""

    name: str
    version: str
    file: str = Field(pattern=PLAIN_NAME)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    purpose: Purpose

    @property
    def path(self) -> str:
        """Where it lies, relative to the lock."""
        return f"{self.purpose}/{self.file}"


class Source(_Part):
    """The checkout: commit, whether files differed from it, and its time in seconds since 1970."""

    commit: str
    dirty: bool
    epoch: int = Field(ge=0)


class Lock(_Part):
    """All that decides a bundle's bytes, but for the machine's Python and compiler. `version` is the app's."""

    schema_version: Literal[1] = 1
    version: str
    source: Source
    files: tuple[Locked, ...]


def write_lock(folder: Path, lock: Lock) -> None:
    """Write `lock.json` into `folder`: files sorted, no address and no machine in it."""
    ordered = lock.model_copy(update={"files": tuple(sorted(lock.files, key=lambda locked: locked.path))})
    write_atomic(folder / FILE_NAME, ordered.model_dump_json(indent=1).encode() + b"\n")


def read_lock(folder: Path) -> Lock:
    """Read `lock.json` and hash every file that it names.

    Raises UsageError where there is no lock, CorruptError when it is malformed, or a file is missing or another.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise UsageError("no lock here", where=str(path), fix="medlora-bundle fetch FOLDER, where the network is")
    try:
        lock = Lock.model_validate_json(path.read_bytes()[:MAX_BYTES])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        raise CorruptError(f"the lock is malformed: {first['msg']}", where=f"{path}, {field}") from error
    for locked in lock.files:
        _require(folder / locked.path, locked)
    return lock


def _require(path: Path, locked: Locked) -> None:
    fix = "fetch again, into a new folder"
    if not path.is_file():
        raise CorruptError("a locked file is missing", where=str(path), fix=fix)
    found = sha256_of_file(path)
    if found != locked.sha256:
        what = f"the file has SHA-256 {found[:12]}..., not the locked {locked.sha256[:12]}..."
        raise CorruptError(what, where=str(path), fix=fix)
