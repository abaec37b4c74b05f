"""What the dynamic linker will ask of a shared library: read from its dynamic section and version tables."""

import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from medlora_edge.errors import CorruptError

Version = tuple[int, ...]
VERSIONED = re.compile(r"([A-Z]+)_([0-9.]+)")


@dataclass(frozen=True)
class Library:
    """One shared library: its path in the archive, its own name, and what it wants from others."""

    name: str
    soname: str | None
    needed: frozenset[str]
    search: tuple[str, ...]  # folders of RUNPATH and RPATH
    imports: frozenset[str]
    versions: frozenset[tuple[str, Version]]  # ("GLIBC", (2, 34))

    @property
    def file(self) -> str:
        """Name without folders."""
        return PurePosixPath(self.name).name


def read(name: str, data: bytes) -> Library:
    """Read the library called `name`. Raises CorruptError for what is no ELF file."""
    try:
        return _read(name, ELFFile(io.BytesIO(data)))
    except ELFError as error:
        raise CorruptError(f"not a library: {error}", where=name) from error


def _read(name: str, elf: Any) -> Library:
    dynamic = elf.get_section_by_name(".dynamic")
    tags = list(dynamic.iter_tags()) if dynamic else []
    search = [tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]
    search += [tag.rpath for tag in tags if tag.entry.d_tag == "DT_RPATH"]
    return Library(
        name=name,
        soname=next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None),
        needed=frozenset(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        search=tuple(folder for path in search for folder in path.split(":")),
        imports=_imports(elf),
        versions=_versions(elf),
    )


def _imports(elf: Any) -> frozenset[str]:
    table = elf.get_section_by_name(".dynsym")
    symbols = table.iter_symbols() if table else ()
    return frozenset(symbol.name for symbol in symbols if symbol.entry.st_shndx == "SHN_UNDEF" and symbol.name)


def _versions(elf: Any) -> frozenset[tuple[str, Version]]:
    table = elf.get_section_by_name(".gnu.version_r")
    names = [aux.name for _, auxes in table.iter_versions() for aux in auxes] if table else []
    matches = (VERSIONED.fullmatch(name) for name in names)
    return frozenset((match[1], tuple(map(int, match[2].split(".")))) for match in matches if match)
