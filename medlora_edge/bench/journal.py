"""`samples.jsonl`: append-only, one line an item; what is on a line is never lost."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from medlora_edge.bench.schema import Sample
from medlora_edge.errors import CorruptError, ResourceError, UsageError

NAME = "samples.jsonl"
SYNC_SECONDS = 1.0


def read(path: Path) -> dict[str, Sample]:
    """Samples by id; the last complete line of an id wins, a torn last line is left out.

    Raises UsageError without a file, CorruptError for a complete line that is none of ours.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError("there is no journal here", where=str(path), fix="name a run folder") from error
    except OSError as error:
        raise ResourceError(f"cannot read the journal: {error.strerror}", where=str(path)) from error
    return parse(content, str(path))


def parse(content: bytes, where: str) -> dict[str, Sample]:
    """The same from bytes; `where` names them in errors."""
    samples: dict[str, Sample] = {}
    complete = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(complete.split(b"\n")[:-1], start=1):
        try:
            sample = Sample.model_validate_json(line)
        except ValidationError as error:
            fix = "delete that line; the same command then answers its question again"
            raise CorruptError("not a line of a journal", where=f"{where}, line {number}", fix=fix) from error
        samples[sample.id] = sample
    return samples


class Journal:
    """The journal of a run under way; one process at a time holds it (see `runfolder.hold`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.touch(mode=0o600)
            self._stream = path.open("ab", buffering=0)
            self._drop_torn_line()
        except OSError as error:
            raise _cannot_write(path, error) from error
        self._synced = self._last = time.monotonic()

    def append(self, sample: Sample) -> None:
        """Write one line, stamped with the wall time since the line before. Raises ResourceError."""
        now = time.monotonic()
        stamped = sample.model_copy(update={"elapsed_seconds": now - self._last})
        line = stamped.model_dump_json().encode() + b"\n"
        self._last = now
        try:
            while line:  # a disk that is nearly full takes a part
                line = line[self._stream.write(line) :]
            if now - self._synced >= SYNC_SECONDS:
                os.fsync(self._stream.fileno())
                self._synced = now
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def close(self) -> None:
        """Let go of the file, everything on disk. Raises ResourceError."""
        try:
            with self._stream:
                os.fsync(self._stream.fileno())
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _drop_torn_line(self) -> None:
        content = self._path.read_bytes()
        keep = content.rfind(b"\n") + 1
        if keep < len(content):
            os.truncate(self._path, keep)


def _cannot_write(path: Path, error: OSError) -> ResourceError:
    fix = "free space or give another folder with --out; what is done is kept"
    return ResourceError(f"cannot write the journal: {error.strerror}", where=str(path), fix=fix)
