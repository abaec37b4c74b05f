"""What the native files of an assembled tree need from the laptop: nothing but glibc, and which one."""

from collections.abc import Iterator
from pathlib import Path

from medlora_bundle.elf import Library, read
from medlora_bundle.native_files import FROM_THE_LAPTOP
from medlora_edge.errors import GateError

MAGIC = b"\x7fELF"
GLIBC = "GLIBC"


def wanted(folder: Path) -> tuple[str, ...]:
    """The libraries, by SONAME, that native files in `folder` ask the system for and that are not of glibc."""
    libraries = list(_libraries(folder))
    here = {library.file for library in libraries}
    needed = {name for library in libraries for name in library.needed} - here
    return tuple(sorted(name for name in needed if not FROM_THE_LAPTOP.fullmatch(name)))


def glibc_min(tree: Path) -> str:
    """The oldest glibc that all native files in `tree` run with, as "2.34".

    Raises GateError when one of them needs a library that neither lies in the tree nor belongs to glibc.
    """
    if missing := wanted(tree):
        raise GateError(f"a library is not in the bundle: {', '.join(missing)}")
    versions = [version for library in _libraries(tree) for name, version in library.versions if name == GLIBC]
    return ".".join(map(str, max(versions)[:2]))


def _libraries(tree: Path) -> Iterator[Library]:
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                is_native = stream.read(len(MAGIC)) == MAGIC
            if is_native:
                yield read(path.relative_to(tree).as_posix(), path.read_bytes())
