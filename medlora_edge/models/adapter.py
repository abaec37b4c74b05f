"""A LoRA adapter in GGUF form: which one it is, and that it is sound and fits a model before llama.cpp sees it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models.catalogue import Model
from medlora_edge.models.gguf_checks import check
from medlora_edge.models.gguf_header import GgufHeader, TensorInfo
from medlora_edge.models.gguf_hyperparameters import EMBEDDINGS
from medlora_edge.models.gguf_purpose import Purpose, purpose
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.gguf_values import READABLE, require_finite
from medlora_edge.models.hashing import sha256_of
from medlora_edge.models.names import name_from

OUTPUT = "output.weight"
ALPHA = "adapter.lora.alpha"
INVOCATION = "adapter.alora.invocation_tokens"
HALVES = ("lora_a", "lora_b")


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter that fits the model it was checked against."""

    name: str
    path: Path
    sha256: str
    size_bytes: int


def find_adapter(path: Path, model: Model) -> Adapter:
    """Read, check and hash the adapter at `path`, which is to be used with `model`.

    Raises UsageError (exit 2) for a wrong path or a file of another kind, CorruptError (exit 3) naming the tensor
    or key for one that is damaged or was made for another model.
    """
    header = read_header(path)
    check_adapter(header, read_header(model.path))
    require_finite(header)
    return Adapter(name_from(path), path.absolute(), sha256_of(path), header.file_size)


def check_adapter(adapter: GgufHeader, model: GgufHeader) -> None:
    """Require that `adapter` is a LoRA adapter whose tensors all have their place in `model`.

    Raises UsageError (exit 2) for a file of another kind, CorruptError (exit 3) naming the tensor or key.
    """
    _require_lora(adapter)
    check(adapter)
    if adapter.architecture != model.architecture:
        what = f"the adapter was made for the architecture {adapter.architecture!r}, not {model.architecture!r}"
        raise _misfit(adapter, what, "key 'general.architecture'")
    bases = {tensor.name: tensor for tensor in model.tensors}
    for name, a, b in _pairs(adapter):
        base = bases.get(name)
        if base is None or len(base.shape) == 1:
            raise _misfit(adapter, "the model has no such matrix", f"tensor {name!r}")
        if name == EMBEDDINGS and OUTPUT not in bases:
            raise UsageError(
                "the adapter changes token embeddings that are the model's output too, which llama.cpp cannot do",
                where=f"{adapter.path}, tensor {a.name!r}",
                fix="merge the adapter into the model",
            )
        _require_shapes(adapter, base, a, b)


def _require_lora(header: GgufHeader) -> None:
    job = purpose(header)
    if job is not Purpose.ADAPTER:
        fix = "give a LoRA adapter in GGUF form with --adapter, and a model with --model"
        raise UsageError(f"the file cannot be used as an adapter: it is {job}", where=str(header.path), fix=fix)
    kind = header.text("adapter.type")
    if kind != "lora":
        raise header.corrupt(f"the adapter is of type {kind!r}, not 'lora'", where="key 'adapter.type'")
    if INVOCATION in header.values:
        raise UsageError(
            "the adapter is an activated LoRA (aLoRA), which would be on for the whole prompt here",
            where=f"{header.path}, key {INVOCATION!r}",
            fix="use an ordinary LoRA adapter",
        )
    alpha = header.values.get(ALPHA)
    if not isinstance(alpha, float) or not isfinite(alpha) or alpha == 0:  # llama.cpp would take 0 for "scale 1"
        raise header.corrupt(f"the adapter's alpha is {alpha!r}: its scale is unknown", where=f"key {ALPHA!r}")


def _pairs(header: GgufHeader) -> Iterator[tuple[str, TensorInfo, TensorInfo]]:
    """Name of each adapted matrix with its A and B, by LoRA's names (Hu et al. 2021, section 4.1)."""
    pairs: defaultdict[str, dict[str, TensorInfo]] = defaultdict(dict)
    for tensor in header.tensors:
        name, _, half = tensor.name.rpartition(".")
        if half not in HALVES:
            raise header.corrupt("a tensor of the adapter is no LoRA matrix", where=f"tensor {tensor.name!r}")
        if tensor.type not in READABLE:
            what = f"a tensor of the adapter is {tensor.type.name}, which no adapter is"
            raise header.corrupt(what, where=f"tensor {tensor.name!r}")
        pairs[name][half] = tensor
    if not pairs:
        raise header.corrupt("the adapter has no tensors")
    for name, halves in pairs.items():
        for half in HALVES:
            if half not in halves:
                raise header.corrupt("the adapter lacks one half of a pair", where=f"tensor '{name}.{half}'")
        yield name, halves["lora_a"], halves["lora_b"]


def _require_shapes(header: GgufHeader, base: TensorInfo, a: TensorInfo, b: TensorInfo) -> None:
    """A maps inputs to the rank, B the rank to outputs; of embeddings, A has a row for each token."""
    inputs, outputs, *experts = base.shape
    rank = b.shape[0]
    due = ((inputs, rank, *experts), (rank, outputs, *experts))
    if base.name == EMBEDDINGS:
        due = ((rank, outputs), (rank, inputs))
    for tensor, shape in zip((a, b), due, strict=True):
        if tensor.shape != shape:
            what = f"a tensor of the adapter is {tensor.shape} where the model's {base.shape} needs {shape}"
            raise _misfit(header, what, f"tensor {tensor.name!r}")


def _misfit(header: GgufHeader, what: str, where: str) -> CorruptError:
    return CorruptError(what, where=f"{header.path}, {where}", fix="use the adapter with the model it was made for")
