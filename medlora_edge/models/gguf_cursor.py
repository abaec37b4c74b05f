"""Reads the front of a file forward, piece by piece, with every count and length bounded first."""

import struct
import sys
from array import array
from pathlib import Path
from typing import BinaryIO

from medlora_edge.errors import CorruptError
from medlora_edge.models.gguf_header import StringArray
from medlora_edge.models.gguf_types import NUMBER_CODES, ValueType
from medlora_edge.models.units import size_text

MAX_HEADER = 64 << 20
MAX_KEY = 1 << 10
MAX_STRING = 16 << 20
MAX_ARRAY = 1_000_000
CHUNK = 1 << 20


class Cursor:
    """A position in the header. Every method raises CorruptError with the place where the file is damaged."""

    def __init__(self, stream: BinaryIO, path: Path, file_size: int) -> None:
        self._stream = stream
        self._path = path
        self._file_size = file_size
        self._buffer = bytearray()
        self.position = 0

    def corrupt(self, what: str, *, at: int | None = None) -> CorruptError:
        """Make the error for damage at byte `at`, by default here."""
        place = f"{self._path}, byte {self.position if at is None else at}"
        return CorruptError(what, where=place, fix="get the file again from where it came")

    def take(self, size: int) -> bytes:
        """Read `size` bytes."""
        end = self.position + size
        self._fetch(end)
        piece = bytes(self._buffer[self.position : end])
        self.position = end
        return piece

    def peek(self, size: int) -> bytes:
        """Look at up to `size` bytes, fewer at the end of the file."""
        end = min(self.position + size, self._file_size)
        self._fetch(end)
        return bytes(self._buffer[self.position : end])

    def number(self, kind: ValueType) -> int | float:
        """Read one number."""
        code = NUMBER_CODES[kind]
        value: int | float = struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]
        return value

    def unsigned(self, *, wide: bool = False) -> int:
        """Read a count: 4 bytes, or 8 when `wide`."""
        return int.from_bytes(self.take(8 if wide else 4), "little")

    def text(self, limit: int, what: str) -> str:
        """Read a string of at most `limit` bytes that must be UTF-8."""
        start = self.position
        length = self.unsigned(wide=True)
        if length > limit:
            raise self.corrupt(f"{what} claims {length} bytes; at most {limit} are allowed", at=start)
        try:
            return self.take(length).decode()
        except UnicodeDecodeError as error:
            raise self.corrupt(f"{what} is not valid UTF-8", at=start) from error

    def numbers(self, kind: ValueType, count: int) -> "array[int] | array[float]":
        """Read `count` numbers."""
        numbers: array[int] | array[float] = array(NUMBER_CODES[kind])
        numbers.frombytes(self.take(self._bounded(count, numbers.itemsize)))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def strings(self, count: int) -> StringArray:
        """Read `count` strings without decoding them."""
        self._bounded(count, 8)
        begin, starts = self.position, array("I")
        position = begin
        for _ in range(count):
            start = position + 8
            if start > len(self._buffer):
                self._fetch(start)
            length = int.from_bytes(self._buffer[position:start], "little")
            if length > MAX_STRING:
                raise self.corrupt(f"a text in a list claims {length} bytes", at=position)
            position = start + length
            starts.append(start - begin)
        return StringArray(self.take(position - begin), starts)

    def _bounded(self, count: int, item_size: int) -> int:
        """Bytes of `count` items, refused when there are too many for the format or for this file."""
        if count > MAX_ARRAY:
            raise self.corrupt(f"a list claims {count} entries; at most {MAX_ARRAY} are allowed")
        if self.position + count * item_size > self._file_size:
            raise self.corrupt(f"a list claims {count} entries, more than the file has room for")
        return count * item_size

    def _fetch(self, end: int) -> None:
        if end > self._file_size:
            raise self.corrupt(f"the file is truncated: it ends at byte {self._file_size}, inside its header")
        if end > MAX_HEADER:
            raise self.corrupt(f"the header is larger than {size_text(MAX_HEADER)}")
        while len(self._buffer) < end:
            piece = self._stream.read(max(CHUNK, end - len(self._buffer)))
            if not piece:
                raise self.corrupt("the file became shorter while it was read")
            self._buffer += piece
