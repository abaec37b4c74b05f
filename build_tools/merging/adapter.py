"""Is an adapter whole, sound and made for this base: answered before anything loads it, never with a warning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from build_tools.bases.quiet import hushed
from build_tools.merging.lineage import require_base
from build_tools.merging.lora_layers import CONFIG, PREFIX, LoraLayer, lora_layers
from build_tools.merging.stored_tensors import ITEM_SIZES, StoredTensor, load, stored_tensors
from medlora_edge.errors import CorruptError, UsageError

WEIGHTS = "adapter_model.safetensors"
SHOWN = 3  # problems in one message


@dataclass(frozen=True)
class AdapterFacts:
    """A sound adapter: its layers, its number of weights, and the layers that it leaves as they are (B or A zero)."""

    folder: Path
    layers: tuple[LoraLayer, ...]
    tensors: Mapping[str, StoredTensor]
    unchanged: tuple[str, ...]

    @property
    def weights(self) -> int:
        """How many weights were trained."""
        return sum(prod(tensor.shape) for tensor in self.tensors.values())


def check(adapter: Path, base: Path) -> AdapterFacts:
    """Check an adapter folder against the base it is to change.

    Raises CorruptError (exit 3), naming the tensor, where one is missing, surplus, misshapen, empty, truncated or not
    finite, where the base is another one than at training, and where the base lacks a layer; UsageError (exit 2) for
    missing folders and for an adapter of another kind.
    """
    if not any((adapter / name).is_file() for name in (WEIGHTS, CONFIG)):
        fix = "give the folder with adapter_config.json: of a run, RUN/train/STAGE/adapter"
        raise UsageError("there is no adapter here", where=str(adapter), fix=fix)
    if not base.is_dir():
        raise UsageError("there is no base folder here", where=str(base))
    tensors = stored_tensors(adapter / WEIGHTS)
    require_base(adapter, base)
    with hushed():
        layers = lora_layers(adapter, base)
    _require_fit(adapter, tensors, layers)
    zero = frozenset(_zero_tensors(tensors))
    unchanged = tuple(layer.module for layer in layers if zero & set(layer.shapes))
    return AdapterFacts(adapter, layers, tensors, unchanged)


def _require_fit(adapter: Path, tensors: Mapping[str, StoredTensor], layers: tuple[LoraLayer, ...]) -> None:
    shapes = {name: shape for layer in layers for name, shape in layer.shapes.items()}
    problems = [*_missing(tensors, shapes), *_unfit(tensors, shapes)]
    if problems:
        rest = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise CorruptError(
            "; ".join(problems[:SHOWN]) + rest,
            where=str(adapter / WEIGHTS),
            fix="train the adapter again, or name the base that it was trained on",
        )


def _missing(tensors: Mapping[str, StoredTensor], shapes: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for name in shapes:
        if name not in tensors:
            yield f"the tensor {name} is missing"


def _unfit(tensors: Mapping[str, StoredTensor], shapes: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    modules = {name.rsplit(".lora_", 1)[0] for name in shapes}
    for name, tensor in tensors.items():
        module = name.rsplit(".lora_", 1)[0]
        if name in shapes:
            if tensor.shape != shapes[name]:
                yield f"the tensor {name} has the shape {tensor.shape}, not {shapes[name]}"
            elif tensor.dtype not in ITEM_SIZES:
                yield f"the tensor {name} is of type {tensor.dtype}, which is no 16- or 32-bit float"
        elif module in modules:
            yield f"the tensor {name} is one too many"
        else:
            yield f"the tensor {name} is for {module.removeprefix(PREFIX)}, which is no adapted layer of this base"


def _zero_tensors(tensors: Mapping[str, StoredTensor]) -> Iterator[str]:
    """Names of the tensors that are zero throughout. Raises CorruptError for one that is not finite."""
    for name, tensor in tensors.items():
        values = load(tensor)
        wrong = int((~values.isfinite()).sum())
        if wrong:
            raise CorruptError(
                f"the tensor {name} has {wrong} values that are no numbers or infinite",
                where=str(tensor.file),
                fix="train again from a checkpoint before the loss went wrong",
            )
        if not values.any():
            yield name
