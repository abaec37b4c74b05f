"""Unpacks the bundle's archives: untrusted bytes in, exactly the listed files out, each checked while it is written."""

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from medlora_setup.archive_contents import Content, read_contents, write_contents
from medlora_setup.bundle_paths import folders_of
from medlora_setup.decompression import Decompressed
from medlora_setup.errors import not_written
from medlora_setup.progress import Count
from medlora_setup.regular_file import open_regular
from medlora_setup.ustar import Entry, entries, skip_padding

__all__ = ["Content", "read_contents", "unpack", "write_contents"]

CHUNK = 1 << 20


def unpack(archive: Path, into: Path, expected: Sequence[Content], on_progress: Count | None = None) -> None:
    """Unpack `archive` (.tar.gz or .tar.xz, ustar) into the existing folder `into`; on return it is all on the disk.

    Modes are those of `expected` whatever the umask; folders get 0755. Raises SetupError: exit 3 naming the entry for
    damage, for anything that is not a listed file or its folder, and for a listed file that is missing; exit 4 when
    the disk refuses. Files written before that stay behind: `into` is a staging folder that its owner removes.
    """
    with open_regular(archive) as stream:
        try:
            _Unpacking(Decompressed(stream, archive), into, expected, on_progress).run()
        except OSError as error:
            raise not_written(error, Path(error.filename or into)) from error


class _Unpacking:
    """One run: what is still due, which folders are there, how far it is."""

    def __init__(
        self, source: Decompressed, into: Path, expected: Sequence[Content], on_progress: Count | None
    ) -> None:
        self._source = source
        self._into = into
        self._due = {content.path: content for content in expected}
        self._folders = dict.fromkeys(folder for path in self._due for folder in folders_of(path))
        self._report = on_progress or (lambda _done, _total: None)
        self._total = sum(content.size for content in expected)
        self._done = 0

    def run(self) -> None:
        paths = list(self._due)
        for folder in self._folders:
            place = self._into / folder
            with suppress(FileExistsError):
                place.mkdir()
            place.chmod(0o755)
        for entry in entries(self._source):
            self._take(entry)
        if self._due:
            raise self._source.broken("a file is missing", min(self._due))
        for path in (*paths, *self._folders, "."):
            _flush(self._into / path)

    def _take(self, entry: Entry) -> None:
        if entry.is_folder:
            if entry.path not in self._folders or entry.size:
                raise self._source.broken("it holds a folder that is not listed", entry.path)
            return
        content = self._due.pop(entry.path, None)
        if content is None:
            raise self._source.broken("it holds a file that is not listed, or twice", entry.path)
        if entry.size != content.size:
            raise self._source.broken(f"a file has {entry.size} bytes, not {content.size} as listed", entry.path)
        self._write(content)
        skip_padding(self._source, content.size)

    def _write(self, content: Content) -> None:
        digest, left = sha256(), content.size
        with (self._into / content.path).open("xb") as file:
            while left:
                piece = self._source.exactly(min(left, CHUNK))
                digest.update(piece)
                file.write(piece)
                left -= len(piece)
                self._done += len(piece)
                self._report(self._done, self._total)
            os.fchmod(file.fileno(), content.mode)
        if digest.hexdigest() != content.sha256:
            raise self._source.broken("the bytes of a file are not those that are listed", content.path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
