"""Compares what lies in a bundle's folder with what is listed: names and kinds first, then the bytes."""

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from medlora_setup.bundle_paths import folders_of
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest_records import File
from medlora_setup.progress import Count
from medlora_setup.regular_file import GET_AGAIN, open_regular, read_bounded, unreadable

CHUNK = 1 << 20
MAX_SMALL = 16 << 20
OTHER_BYTES = "its bytes are not those that were signed"
KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
}


def strays(folder: Path, listed: Collection[str]) -> dict[str, str]:
    """What is wrong, by path: not listed, missing, or of another kind (a link, a device, a folder for a file).

    Raises SetupError (exit 3) when a folder cannot be read.
    """
    due = dict.fromkeys(listed, stat.S_IFREG) | {above: stat.S_IFDIR for path in listed for above in folders_of(path)}
    spellings = {path.casefold(): path for path in due}
    missing = set(listed)
    problems: dict[str, str] = {}
    for path, kind in _walk(folder, due):
        missing.discard(path)
        if path not in due:
            other = spellings.get(path.casefold())
            problems[path] = (
                f"its name differs from {other!r} in case" if other else f"{KINDS[kind]} that is not listed"
            )
        elif kind != due[path]:
            problems[path] = f"it is {KINDS[kind]} where {KINDS[due[path]]} is due"
    return problems | dict.fromkeys(missing, "it is missing")


def wrong_bytes(folder: Path, files: Sequence[File], report: Count) -> dict[str, str]:
    """What is wrong, by path: another size, other bytes, unreadable. `report` hears how far it is."""
    total, done = sum(file.size for file in files), 0
    buffer = bytearray(CHUNK)
    problems: dict[str, str] = {}
    for file in files:
        try:
            for position in _read_through(folder / file.path, file, buffer):
                report(done + position, total)
        except SetupError as error:
            problems[file.path] = error.what
        done += file.size
    report(total, total)
    return problems


def read_listed(folder: Path, file: File) -> bytes:
    """The bytes of a small listed file. Raises SetupError (exit 3) when they are not, or no longer, those listed."""
    data = read_bounded(folder / file.path, min(file.size, MAX_SMALL))
    if sha256(data).hexdigest() != file.sha256:
        raise _wrong(OTHER_BYTES, folder / file.path)
    return data


def _walk(folder: Path, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Path and kind of everything in `folder`; folders that are not in `known` are named, not entered."""
    inside = [""]
    while inside:
        above = inside.pop()
        for name, mode in _listing(folder / above):
            path = f"{above}/{name}" if above else name
            if stat.S_ISDIR(mode) and path in known:
                inside.append(path)
            yield path, stat.S_IFMT(mode)


def _listing(folder: Path) -> list[tuple[str, int]]:
    try:
        with os.scandir(folder) as found:
            return [(entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in found]
    except OSError as error:
        raise unreadable(error, folder) from error


def _read_through(path: Path, file: File, buffer: bytearray) -> Iterator[int]:
    """Read the whole of `path`, giving the position after each piece; raise SetupError when it is not `file`."""
    digest, position = sha256(), 0
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size != file.size:
            raise _wrong(f"it has {size} bytes, not {file.size}", path)
        try:
            while count := stream.readinto(buffer):
                digest.update(memoryview(buffer)[:count])
                yield (position := position + count)
        except OSError as error:
            raise unreadable(error, path) from error
    if digest.hexdigest() != file.sha256:
        raise _wrong(OTHER_BYTES, path)


def _wrong(what: str, path: Path) -> SetupError:
    return SetupError(what, where=str(path), fix=GET_AGAIN, code=Code.CORRUPT)
