"""Reads the header of a GGUF file, trusting nothing in it: untrusted files must not reach llama.cpp unseen.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3, little-endian).
"""

import os
from pathlib import Path

from medlora_edge.errors import CorruptError
from medlora_edge.models.gguf_cursor import MAX_KEY, MAX_STRING, Cursor
from medlora_edge.models.gguf_header import GgufHeader, TensorInfo, Value
from medlora_edge.models.gguf_types import BLOCKS, NUMBER_CODES, TensorType, ValueType
from medlora_edge.models.regular_file import open_regular

MAGIC = b"GGUF"
VERSION = 3
MAX_VALUES = 4096
MAX_TENSORS = 16384
MAX_TENSOR_NAME = 63
MAX_DIMENSIONS = 4
MAX_ELEMENTS = (1 << 63) - 1
DEFAULT_ALIGNMENT = 32
MAX_ALIGNMENT = 4096


def read_header(path: Path) -> GgufHeader:
    """Read metadata and tensor list; no weights are read. `check` judges what they say.

    Raises UsageError (exit 2) for a path that is no regular file, CorruptError (exit 3) for what is no
    well-formed GGUF version 3.
    """
    with open_regular(path) as stream:
        file_size = os.fstat(stream.fileno()).st_size
        try:
            return _read(Cursor(stream, path, file_size), path, file_size)
        except OSError as error:
            raise CorruptError(f"the disk cannot read the file: {error.strerror}", where=str(path)) from error


def _read(cursor: Cursor, path: Path, file_size: int) -> GgufHeader:
    _require_magic(cursor, path, file_size)
    _require_version(cursor)
    tensor_count = _count(cursor, "tensors", MAX_TENSORS)
    value_count = _count(cursor, "metadata values", MAX_VALUES)
    values = _values(cursor, value_count)
    alignment = _alignment(cursor, values)
    tensors = tuple(_tensor(cursor) for _ in range(tensor_count))
    data_start = -(-cursor.position // alignment) * alignment
    return GgufHeader(path, file_size, alignment, data_start, values, tensors)


def _require_magic(cursor: Cursor, path: Path, file_size: int) -> None:
    if file_size == 0:
        raise CorruptError("the file is empty", where=str(path), fix="get it again: the copy or download failed")
    head = cursor.peek(512)
    if not head.startswith(MAGIC):
        raise CorruptError(_foreign(head), where=str(path), fix="get the .gguf file itself")
    cursor.take(len(MAGIC))


def _foreign(head: bytes) -> str:
    """Say what a file is that is no GGUF."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<!--")):
        return "this is a web page, not a model: the download went wrong"
    if text.startswith(b"version https://git-lfs"):
        return "this is a Git LFS pointer, not the model it points to"
    if head.startswith((b"lmgg", b"fmgg", b"tjgg", b"algg")):
        return "this is a GGML file from before GGUF, which llama.cpp no longer reads"
    if head.startswith(b"PK\x03\x04"):
        return "this is a zip archive or PyTorch checkpoint, not a GGUF model"
    if text.startswith(b"{"):
        return "this is JSON text, not a model: perhaps a server's error message saved as a file"
    return f"this is not a GGUF file: it begins with {head[:4]!r} instead of {MAGIC!r}"


def _require_version(cursor: Cursor) -> None:
    version = cursor.unsigned()
    if version == VERSION:
        return
    if version & 0xFFFF == 0 and version:
        raise cursor.corrupt("this is a big-endian GGUF; this program reads little-endian ones")
    if version < VERSION:
        raise cursor.corrupt(f"this is GGUF version {version}, which is too old; convert it to version {VERSION}")
    raise cursor.corrupt(f"this is GGUF version {version}; this program reads version {VERSION}")


def _count(cursor: Cursor, what: str, limit: int) -> int:
    count = cursor.unsigned(wide=True)
    if count > limit:
        raise cursor.corrupt(f"the file claims {count} {what}; at most {limit} are allowed")
    return count


def _values(cursor: Cursor, count: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for _ in range(count):
        start = cursor.position
        key = cursor.text(MAX_KEY, "a metadata key")
        if not key:
            raise cursor.corrupt("a metadata key is empty", at=start)
        if key in values:
            raise cursor.corrupt(f"the metadata key {key!r} stands twice", at=start)
        values[key] = _value(cursor, _value_type(cursor), key)
    return values


def _value_type(cursor: Cursor) -> ValueType:
    number = cursor.unsigned()
    if number not in ValueType.__members__.values():
        raise cursor.corrupt(f"unknown type {number} of a metadata value")
    return ValueType(number)


def _value(cursor: Cursor, kind: ValueType, key: str) -> Value:
    match kind:
        case ValueType.STRING:
            return cursor.text(MAX_STRING, f"the value of {key!r}")
        case ValueType.ARRAY:
            return _array(cursor, key)
        case ValueType.BOOL:
            return _boolean(cursor, key)
        case _:
            return cursor.number(kind)


def _boolean(cursor: Cursor, key: str) -> bool:
    byte = cursor.take(1)[0]
    if byte > 1:
        raise cursor.corrupt(f"the value of {key!r} is neither true nor false", at=cursor.position - 1)
    return byte == 1


def _array(cursor: Cursor, key: str) -> Value:
    kind = _value_type(cursor)
    count = cursor.unsigned(wide=True)
    if kind is ValueType.STRING:
        return cursor.strings(count)
    if kind not in NUMBER_CODES:
        raise cursor.corrupt(f"the value of {key!r} is a list of lists, which llama.cpp does not read")
    return cursor.numbers(kind, count)


def _alignment(cursor: Cursor, values: dict[str, Value]) -> int:
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 1 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise cursor.corrupt(f"the alignment {alignment!r} is not a power of two up to {MAX_ALIGNMENT}")
    return alignment


def _tensor(cursor: Cursor) -> TensorInfo:
    start = cursor.position
    name = cursor.text(MAX_TENSOR_NAME, "a tensor name")
    dimensions = cursor.unsigned()
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise cursor.corrupt(f"tensor {name!r} has {dimensions} dimensions; 1 to 4 are possible", at=start)
    shape = tuple(cursor.unsigned(wide=True) for _ in range(dimensions))
    number = cursor.unsigned()
    if number not in TensorType.__members__.values():
        raise cursor.corrupt(f"tensor {name!r} has the unknown type {number}", at=start)
    tensor = TensorInfo(name, shape, TensorType(number), cursor.unsigned(wide=True))
    _require_shape(cursor, tensor, start)
    return tensor


def _require_shape(cursor: Cursor, tensor: TensorInfo, start: int) -> None:
    block = BLOCKS[tensor.type].elements
    if min(tensor.shape) < 1:
        problem = f"has an empty dimension: {tensor.shape}"
    elif tensor.elements > MAX_ELEMENTS:
        problem = f"has impossible dimensions {tensor.shape}: their product overflows"
    elif tensor.shape[0] % block:
        problem = f"is {tensor.type.name}, whose rows are multiples of {block}, but has rows of {tensor.shape[0]}"
    else:
        return
    raise cursor.corrupt(f"tensor {tensor.name!r} {problem}", at=start)
