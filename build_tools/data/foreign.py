"""Reads other people's text, JSON lines or plain, gzip or not, bounded; what is wrong is named with its line."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, cast

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from medlora_edge.errors import CorruptError, ResourceError, UsageError

MAX_LINE = 16 << 20  # bytes
MAX_TEXT = 256 << 20  # bytes of one plain text file
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"

_TEXT: TypeAdapter[str] = TypeAdapter(
    Annotated[str, StringConstraints(max_length=MAX_LINE)], config=ConfigDict(strict=True)
)


@dataclass(frozen=True)
class Record:
    """One JSON object of a file; `number` is its line, from 1."""

    file: Path
    number: int
    fields: dict[str, Any]

    @property
    def where(self) -> str:
        """File and line, for a message."""
        return f"{self.file}, line {self.number}"

    def text(self, field: str) -> str:
        """A field that has to hold text, without white space at its ends. Raises CorruptError naming it."""
        if field not in self.fields:
            there = ", ".join(map(repr, sorted(self.fields)[:10])) or "none"
            raise CorruptError(f"no field {field!r}", where=self.where, fix=f"name one that is there: {there}")
        try:
            return _TEXT.validate_python(self.fields[field]).strip()
        except ValidationError as error:
            raise CorruptError(f"{field}: {first_problem(error)}", where=self.where, fix="mend the record") from error


def json_lines(path: Path) -> Iterator[Record]:
    """The objects of a JSON-lines file; blank lines are passed over.

    Raises UsageError (no file), ResourceError (unreadable), CorruptError (damaged, no object, too long), with its line.
    """
    with _opened(path) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b""), start=1):
            where = f"{path}, line {number}"
            if len(line) > MAX_LINE:
                raise CorruptError(f"a line of more than {MAX_LINE >> 20} MiB", where=where, fix="one record a line")
            content = line.removeprefix(_BOM) if number == 1 else line
            if content.strip():
                yield Record(path, number, _object(content, where))


def whole_text(path: Path) -> str:
    """A plain text file as one document. Raises as `json_lines` does."""
    with _opened(path) as stream:
        content = stream.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        raise CorruptError(f"a text of more than {MAX_TEXT >> 20} MiB", where=str(path), fix="split the file")
    try:
        return content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CorruptError("not UTF-8", where=f"{path}, line {line}", fix="convert the file to UTF-8") from error


def require_sha256(path: Path, wanted: str) -> None:
    """Require this very file.

    Raises UsageError (none there), ResourceError (unreadable), CorruptError (exit 3) naming both hashes.
    """
    if not path.is_file():
        raise UsageError("no such file", where=str(path), fix="check the path in the recipe")
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ResourceError(f"cannot read the file: {error.strerror}", where=str(path)) from error
    if found != wanted:
        what = f"the file is not the one that is meant: SHA-256 {found}, wanted {wanted}"
        raise CorruptError(what, where=str(path), fix="bring the right file, or change its sha256")


def first_problem(error: ValidationError) -> str:
    """The first complaint of a validation, with its place in the record where it has one."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CorruptError("not UTF-8", where=where, fix="convert the file to UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"not readable as JSON: {error}", where=where, fix="mend or remove the line") from error
    if not isinstance(value, dict):
        raise CorruptError("not a JSON object", where=where, fix="one object a line is expected")
    return value


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if not path.is_file():
        what = "not a regular file" if path.exists() else "no such file"
        raise UsageError(what, where=str(path), fix="check the path in the recipe; it counts from the recipe's folder")
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if compressed else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CorruptError("the gzip file is damaged", where=str(path), fix="get it again") from error
    except OSError as error:
        raise ResourceError(f"cannot read the file: {error.strerror}", where=str(path)) from error
