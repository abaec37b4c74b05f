"""Tensors of a safetensors file: a bounded reader of its header, and reading and overwriting one tensor at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from medlora_edge.errors import CorruptError, UsageError

HEADER_LIMIT = 100_000_000  # bytes; the format's own limit
ITEM_SIZES = {"F32": 4, "F16": 2, "BF16": 2}
OTHER_ITEM_SIZES = {"F64": 8, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

_Count = Annotated[int, Field(ge=0)]


class _Entry(BaseModel):
    dtype: str
    shape: tuple[_Count, ...]
    data_offsets: tuple[_Count, _Count]


_HEADER = TypeAdapter(dict[str, _Entry | dict[str, str]])


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a file: `size` bytes from byte `start` of the file on, rows first."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file by name, without any weights.

    Raises CorruptError, naming the tensor, for a header that is damaged or promises more than the file holds.
    """
    try:
        file_size = path.stat().st_size
        with path.open("rb") as stream:
            header_size = int.from_bytes(stream.read(8), "little")
            if file_size < 8 or header_size > min(HEADER_LIMIT, file_size - 8):
                raise _corrupt("the file is truncated inside its header, or is no safetensors file", path)
            header = _HEADER.validate_json(stream.read(header_size))
    except FileNotFoundError as error:
        raise _corrupt("the file is missing", path) from error
    except ValidationError as error:
        raise _corrupt("the header is no list of tensors", path) from error
    entries = {name: entry for name, entry in header.items() if isinstance(entry, _Entry)}
    return _placed(path, entries, 8 + header_size, file_size)


def load(tensor: StoredTensor) -> Any:
    """Its values as a torch tensor in fp32. Raises UsageError for a tensor that holds no 16- or 32-bit floats."""
    import torch

    with tensor.file.open("rb") as stream:
        stream.seek(tensor.start)
        content = bytearray(stream.read(tensor.size))
    return torch.frombuffer(content, dtype=_torch_dtype(tensor)).reshape(tensor.shape).float()


def overwrite(tensor: StoredTensor, values: Any) -> None:
    """Put other values of the same shape in its place, rounded to its type.

    Raises CorruptError when one of them is not finite in that type; the file then keeps the old ones.
    """
    import torch

    rounded = values.to(_torch_dtype(tensor)).contiguous()
    if not torch.isfinite(rounded).all():
        raise CorruptError(f"{tensor.name} would not be finite in {tensor.dtype}", where=str(tensor.file))
    if tuple(rounded.shape) != tensor.shape:
        raise ValueError(f"{tensor.name} has the shape {tensor.shape}, not {tuple(rounded.shape)}")
    with tensor.file.open("r+b") as stream:
        stream.seek(tensor.start)
        stream.write(memoryview(rounded.view(torch.uint8).numpy()))


def _placed(path: Path, entries: Mapping[str, _Entry], data_start: int, file_size: int) -> dict[str, StoredTensor]:
    """Tensors lie one behind the other from the end of the header to the end of the file, as the format demands."""
    expected = 0
    placed = {}
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        size = prod(entry.shape) * _item_size(path, name, entry.dtype)
        if begin != expected or end - begin != size:
            raise _corrupt("its place in the file does not fit its type and shape", path, name)
        if data_start + end > file_size:
            raise _corrupt(
                f"it reaches byte {data_start + end}, but the file ends at {file_size}: truncated", path, name
            )
        placed[name] = StoredTensor(path, name, entry.dtype, entry.shape, data_start + begin, size)
        expected = end
    if data_start + expected != file_size:
        raise _corrupt(f"{file_size - data_start - expected} bytes behind the last tensor belong to none", path)
    return placed


def _item_size(path: Path, name: str, dtype: str) -> int:
    size = ITEM_SIZES.get(dtype) or OTHER_ITEM_SIZES.get(dtype)
    if size is None:
        raise _corrupt(f"its type {dtype!r} is unknown", path, name)
    return size


def _torch_dtype(tensor: StoredTensor) -> Any:
    import torch

    match tensor.dtype:
        case "F32":
            return torch.float32
        case "F16":
            return torch.float16
        case "BF16":
            return torch.bfloat16
    raise UsageError(
        f"{tensor.name} is stored as {tensor.dtype}; weights have to be F32, F16 or BF16",
        where=str(tensor.file),
        fix="use the model in its 16-bit form, not an already quantised one",
    )


def _corrupt(what: str, path: Path, name: str = "") -> CorruptError:
    where = f"{path}, tensor {name}" if name else str(path)
    return CorruptError(what, where=where, fix="get the file again from where it came")
