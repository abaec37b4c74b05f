"""Libraries inside the wheels, which their metadata do not name: from a table, with versions read from the bytes."""

import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from medlora_bundle.component import Component, Kind, Text
from medlora_bundle.shipped import Shipped
from medlora_edge.errors import GateError

HERE = Path(__file__)
TABLE = HERE.with_name("native_parts.json")
LLAMA_CPP_COMMIT = ".git/modules/vendor/llama.cpp/HEAD"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Version(_Entry):
    """`pattern` has groups, joined by dots; searched in the part's own file unless `in_text` names another."""

    pattern: str
    in_text: str | None = None


class Part(_Entry):
    """One library: `files` it is, or `inside` which files of the wheel `of` it was compiled; globs.

    Texts are `wheel:` (below its metadata), `sdist:` (of llama-cpp-python), `sdist-head:` (the comment a source file
    begins with) or `here:` (in licence_texts/).
    """

    of: str
    name: str
    files: str = ""
    inside: str = ""
    version: _Version | None = None
    licence: str
    purl: str | None = None
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """Where a part's texts are looked for: the wheel's metadata folder, files of the source distribution."""

    metadata: Path
    sdist: Mapping[str, bytes]

    def read(self, text: str) -> bytes:
        """The bytes that `text` stands for. Raises GateError when they are not there."""
        kind, _, path = text.partition(":")
        root = HERE.with_name("licence_texts") if kind == "here" else self.metadata
        content = self.sdist.get(path) if kind.startswith("sdist") else _content(root / path)
        if content is None:
            raise GateError(f"a text of the table is not there: {text}", fix=f"mend {TABLE.name}")
        return _leading_comment(content) if kind == "sdist-head" else content


def table() -> tuple[Part, ...]:
    """All parts that are known."""
    return TypeAdapter(tuple[Part, ...]).validate_json(TABLE.read_bytes())


def read_sdist(archive: Path) -> Mapping[str, bytes]:
    """The files of llama-cpp-python's source distribution that the table speaks of, in one pass."""
    named = {text for part in table() for text in (*part.texts, (part.version and part.version.in_text) or "")}
    wanted = {LLAMA_CPP_COMMIT, *(text.partition(":")[2] for text in named if text.startswith("sdist"))}
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            if path in wanted and (stream := tar.extractfile(member)):
                found[path] = stream.read()
    return found


def parts(wheel: Component, places: Places) -> Iterator[Component]:
    """The known parts of one wheel.

    Raises GateError for one that has no file any more, and for a library of the wheel that the table does not name.
    """
    known = [part for part in table() if part.of == wheel.name]
    named = [part.files for part in known if part.files]
    for file in wheel.files:
        if file.soname() and not any(fnmatchcase(file.path, glob) for glob in named):
            raise GateError(
                f"a library without a name: {file.soname()}", where=file.path, fix=f"add it to {TABLE.name}"
            )
    for part in known:
        yield _component(part, wheel.files, places)


def _component(part: Part, files: Sequence[Shipped], places: Places) -> Component:
    found = [file for file in files if fnmatchcase(file.path, part.files or part.inside)]
    if not found:
        raise GateError(f"{part.of} holds no {part.name} any more", where=part.files, fix=f"mend {TABLE.name}")
    version = _version(part, found[0], places)
    commit = places.read(f"sdist:{LLAMA_CPP_COMMIT}").decode().strip() if "{commit}" in (part.purl or "") else ""
    return Component(
        name=part.name,
        version=version,
        kind=Kind.LIBRARY,
        licence=part.licence,
        purl=part.purl.format(version=version, commit=commit) if part.purl else None,
        files=tuple(found) if part.files else (),
        inside=() if part.files else tuple(file.path for file in found),
        texts=tuple(Text(text.rpartition("/")[2].rpartition(":")[2], places.read(text)) for text in part.texts),
    )


def _version(part: Part, file: Shipped, places: Places) -> str | None:
    if part.version is None:
        return None
    content = places.read(part.version.in_text) if part.version.in_text else file.here.read_bytes()
    match = re.search(part.version.pattern.encode(), content)
    if match is None:
        raise GateError(f"no version of {part.name} is found", where=file.path, fix=f"mend {TABLE.name}")
    return b".".join(match.groups()).decode()


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _leading_comment(source: bytes) -> bytes:
    lines = source.splitlines()
    length = next(count for count, line in enumerate(lines) if not line.startswith(b"//"))
    return b"\n".join(line.removeprefix(b"//").removeprefix(b" ") for line in lines[:length]) + b"\n"
