"""Writes folders into an archive that depends on their files alone: sorted, without owners, with one time."""

import tarfile
from collections.abc import Iterable
from gzip import GzipFile
from lzma import LZMAFile
from pathlib import Path

from build_tools.manifest import sha256_of_file
from medlora_setup.archive_contents import Content

# Measured on 148 MB: preset 6 packs in 56 s to 32.5 MB, 3 in 19 s to 35.4 MB; both are unpacked in 1.4 s.
XZ_PRESET = 3
GZIP_LEVEL = 6


def contents_of(tree: Path, folders: Iterable[str]) -> tuple[Content, ...]:
    """Every file of `folders` in `tree`, sorted by path; the mode is 0755 for programs and libraries of programs."""
    files = [path for folder in folders for path in (tree / folder).rglob("*") if path.is_file()]
    return tuple(sorted((_content(tree, path) for path in files), key=lambda content: content.path))


def write_gzip(archive: Path, tree: Path, contents: Iterable[Content], epoch: int) -> None:
    """Write `contents` of `tree` as a .tar.gz: what the tools of a minimal system read."""
    with archive.open("wb") as raw, GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed:
        _write_tar(packed, tree, contents, epoch)


def write_xz(archive: Path, tree: Path, contents: Iterable[Content], epoch: int) -> None:
    """Write `contents` of `tree` as a .tar.xz: smaller, read by our own Python."""
    with LZMAFile(archive, "wb", preset=XZ_PRESET) as packed:
        _write_tar(packed, tree, contents, epoch)


def _content(tree: Path, path: Path) -> Content:
    mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    return Content(path.relative_to(tree).as_posix(), path.stat().st_size, sha256_of_file(path), mode)


def _write_tar(stream: GzipFile | LZMAFile, tree: Path, contents: Iterable[Content], epoch: int) -> None:
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for content in contents:
            entry = tarfile.TarInfo(content.path)
            entry.size, entry.mode, entry.mtime = content.size, content.mode, epoch
            with (tree / content.path).open("rb") as file:
                tar.addfile(entry, file)
