"""What the header of a GGUF says: metadata and the place of every tensor, without any weights."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

from medlora_edge.errors import CorruptError
from medlora_edge.models.gguf_types import BLOCKS, FILE_TYPES, TensorType


@dataclass(frozen=True)
class StringArray:
    """Many strings in one piece of bytes; `starts` are their places, the 8 bytes of a length before each."""

    blob: bytes
    starts: "array[int]"

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[bytes]:
        ends = [start - 8 for start in self.starts[1:]] + [len(self.blob)]
        for start, end in zip(self.starts, ends, strict=False):
            yield self.blob[start:end]


Value = int | float | str | StringArray | array  # type: ignore[type-arg]


@dataclass(frozen=True)
class TensorInfo:
    """One tensor: `shape` with the row length first, `offset` in bytes from the start of the data."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes in the file, without the padding behind it."""
        block = BLOCKS[self.type]
        return self.elements // block.elements * block.size


@dataclass(frozen=True)
class GgufHeader:
    """Header of one file. The accessors raise CorruptError where a value has the wrong type."""

    path: Path
    file_size: int
    alignment: int
    data_start: int
    values: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]

    @cached_property
    def architecture(self) -> str:
        """llama.cpp's name of the network's kind; prefix of its hyperparameters' keys."""
        name = self.text("general.architecture")
        if not name:
            raise self.corrupt("the metadata does not name an architecture")
        return name

    @property
    def context_length(self) -> int:
        """Tokens of context it was trained for."""
        return self.integer(self.model_key("context_length"))

    @property
    def parameters(self) -> int:
        """Count of weights, all tensors together."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def tensor_types(self) -> dict[str, int]:
        """How many tensors are stored in each type, the most frequent first."""
        return dict(Counter(tensor.type.name for tensor in self.tensors).most_common())

    @property
    def quantisation(self) -> str:
        """The file's own word for its quantisation, such as Q3_K_L; else the type that holds most bytes."""
        named = FILE_TYPES.get(self.integer("general.file_type", -1))
        if named or not self.tensors:
            return named or "unknown"
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.type.name] += tensor.size_bytes
        return sizes.most_common(1)[0][0]

    @property
    def template_sha256(self) -> str | None:
        """Hash of the chat template's text, None when the file has none."""
        template = self.text("tokenizer.chat_template")
        return hashlib.sha256(template.encode()).hexdigest() if template else None

    def corrupt(self, what: str, *, where: str = "") -> CorruptError:
        """Make the error for a damaged file; `where` names a key or tensor inside it."""
        place = f"{self.path}, {where}" if where else str(self.path)
        return CorruptError(what, where=place, fix="get the file again from where it came")

    def model_key(self, name: str) -> str:
        """Full key of a hyperparameter."""
        return f"{self.architecture}.{name}"

    def text(self, key: str, default: str = "") -> str:
        """A string value."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.corrupt("a metadata value is not a text", where=f"key {key!r}")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """An integer value; a missing one without a default is an error."""
        value = self.values.get(key, default)
        if value is None:
            raise self.corrupt("a required metadata value is missing", where=f"key {key!r}")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.corrupt("a metadata value is not a whole number", where=f"key {key!r}")
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        """A true-or-false value."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.corrupt("a metadata value is not true or false", where=f"key {key!r}")
        return value

    def strings(self, key: str) -> StringArray | None:
        """A list of strings, None when missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, StringArray):
            raise self.corrupt("a metadata value is not a list of texts", where=f"key {key!r}")
        return value

    def per_layer(self, key: str, layers: int, default: int | None = None) -> tuple[int, ...]:
        """One integer for each layer: the value itself when it is a list, else the same for all."""
        value = self.values.get(key)
        if not isinstance(value, array):
            return (self.integer(key, default),) * layers
        if value.typecode in "fd" or len(value) != layers:
            what = f"a list with one whole number for each of {layers} layers is malformed"
            raise self.corrupt(what, where=f"key {key!r}")
        return tuple(value)
