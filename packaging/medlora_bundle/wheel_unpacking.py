"""Puts a wheel's files into a folder by reading them alone: nothing of it is run."""

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from medlora_edge.errors import CorruptError

LIBRARY_FOLDERS = frozenset({"purelib", "platlib"})


def unpack(wheel: Path, into: Path, wanted: Callable[[PurePosixPath], bool]) -> None:
    """Write the wheel's library files that are `wanted` (path as installed) below `into`, mode 0644.

    Its scripts, headers and data, which would lie outside the library, are left out.
    Raises CorruptError for a damaged wheel, for a path or kind of file that no wheel has, or one already there.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = _installed(wheel, member)
                if path and wanted(path):
                    _write(archive.read(member), into / path, wheel)
    except (zipfile.BadZipFile, EOFError) as error:
        raise CorruptError(f"the wheel is damaged: {error}", where=str(wheel), fix="fetch again") from error


def _installed(wheel: Path, member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where a member goes, relative to the library; None: nowhere."""
    path = PurePosixPath(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in member.filename
    if leads_out or kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise CorruptError("the wheel holds a path or link that leads out of it", where=f"{wheel}, {member.filename!r}")
    if member.is_dir():
        return None
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in LIBRARY_FOLDERS else None


def _write(content: bytes, path: Path, wheel: Path) -> None:
    if path.exists():
        raise CorruptError("two wheels hold the same file", where=f"{wheel}, {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
