"""Reads the entries of a tar archive in the POSIX ustar format: plain files and folders, nothing else.

The standard library's reader follows links, sparse maps and extension headers of any size; none is needed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from medlora_setup.decompression import Decompressed

BLOCK = 512
END = bytes(BLOCK)
FILE, FOLDER = b"0", b"5"
MAX_PADDING = 10_240
KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a FIFO",
    b"x": "an extension header",
    b"g": "an extension header",
    b"L": "an extension header",
}


@dataclass(frozen=True)
class Entry:
    """A file of `size` bytes, or a folder. The file's content is what the stream gives next."""

    path: str
    is_folder: bool
    size: int


def entries(stream: Decompressed) -> Iterator[Entry]:
    """The archive's entries, in order; the caller takes each file's content with `stream.exactly`, then `skip_padding`.

    Raises SetupError (exit 3) for anything that is not a plain file or folder, and for what follows the end.
    """
    while (header := stream.exactly(BLOCK)) != END:
        yield _entry(header, stream)
    rest = 0
    while piece := stream.read(MAX_PADDING):
        rest += len(piece)
        if piece.strip(b"\0") or rest > MAX_PADDING:
            raise stream.broken("bytes follow its end")
    stream.require_end()


def skip_padding(stream: Decompressed, size: int) -> None:
    """Pass over the zeros that fill the last block of a file of `size` bytes."""
    if stream.exactly(-size % BLOCK).strip(b"\0"):
        raise stream.broken("bytes stand where a file's padding is due")


def _entry(header: bytes, stream: Decompressed) -> Entry:
    if _number(header[148:156], stream) != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]):
        raise stream.broken("the checksum of an entry is wrong")
    path, kind = _path(header, stream), header[156:157]
    if kind not in {FILE, FOLDER}:
        raise stream.broken(f"it holds {KINDS.get(kind, 'an entry of an unknown kind')}", path)
    if header[257:265] != b"ustar\x0000":
        raise stream.broken("it is not in the ustar format", path)
    return Entry(path.removesuffix("/"), kind == FOLDER, _number(header[124:136], stream))


def _path(header: bytes, stream: Decompressed) -> str:
    prefix, name = (header[start:end].partition(b"\0")[0] for start, end in ((345, 500), (0, 100)))
    try:
        return (prefix + b"/" + name if prefix else name).decode()
    except UnicodeDecodeError as error:
        raise stream.broken("the name of an entry is not UTF-8") from error


def _number(field: bytes, stream: Decompressed) -> int:
    digits = field.strip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        raise stream.broken("a number of an entry is malformed")
    return int(digits, 8)
