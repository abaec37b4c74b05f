"""Reads a .tar.gz or .tar.xz forward, with the memory and the bytes it can cost bounded."""

import lzma
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from medlora_setup.errors import Code, SetupError
from medlora_setup.regular_file import GET_AGAIN, unreadable

INPUT = 1 << 16
OUTPUT = 1 << 20
MAX_RATIO = 200
MAX_MEMORY = 256 << 20


class Decompressed:
    """The content of one compressed stream. Raises SetupError (exit 3) for damage and for decompression bombs."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._decoder: _Decoder = _Xz() if path.suffix == ".xz" else _Gzip()
        self._ready = memoryview(b"")
        self._taken = 0
        self._given = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        while not self._ready and not self._decoder.eof:
            self._ready = memoryview(self._decode())
        piece, self._ready = self._ready[:size], self._ready[size:]
        return bytes(piece)

    def exactly(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        pieces = []
        while size and (piece := self.read(size)):
            pieces.append(piece)
            size -= len(piece)
        if size:
            raise self.broken("it ends too early")
        return b"".join(pieces)

    def require_end(self) -> None:
        """Require that nothing follows: no content, and no bytes after the compressed stream."""
        if self.read(1) or self._decoder.unused or self._input():
            raise self.broken("bytes follow its end")

    def broken(self, what: str, entry: str | None = None) -> SetupError:
        """Make the error for this archive."""
        where = f"{self._path}, {entry!r}" if entry else str(self._path)
        return SetupError(f"the archive is damaged: {what}", where=where, fix=GET_AGAIN, code=Code.CORRUPT)

    def _decode(self) -> bytes:
        data = b""
        if self._decoder.hungry and not (data := self._input()):
            raise self.broken("it ends too early")
        self._taken += len(data)
        try:
            piece = self._decoder.give(data, OUTPUT)
        except (zlib.error, lzma.LZMAError) as error:
            raise self.broken(f"it cannot be unpacked ({error})") from error
        self._given += len(piece)
        if self._given > MAX_RATIO * max(self._taken, INPUT):
            raise self.broken(f"it unpacks to more than {MAX_RATIO} times its size: a decompression bomb")
        return piece

    def _input(self) -> bytes:
        try:
            return self._stream.read(INPUT)
        except OSError as error:
            raise unreadable(error, self._path) from error


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def hungry(self) -> bool: ...
    @property
    def unused(self) -> bytes: ...
    def give(self, data: bytes, size: int) -> bytes: ...


class _Xz:
    def __init__(self) -> None:
        self._lzma = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY)

    @property
    def eof(self) -> bool:
        return self._lzma.eof

    @property
    def hungry(self) -> bool:
        return self._lzma.needs_input

    @property
    def unused(self) -> bytes:
        return self._lzma.unused_data

    def give(self, data: bytes, size: int) -> bytes:
        return self._lzma.decompress(data, size)


class _Gzip:
    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def hungry(self) -> bool:
        return not self._zlib.unconsumed_tail and not self._full

    @property
    def unused(self) -> bytes:
        return self._zlib.unused_data

    def give(self, data: bytes, size: int) -> bytes:
        piece = self._zlib.decompress(self._zlib.unconsumed_tail + data, size)
        self._full = len(piece) == size  # there may be more of it inside, with no input left over
        return piece
