"""How many numbers a recipe trains, counted on the meta device: no weight is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from build_tools.bases.architectures import name_of, targets
from build_tools.bases.shape import read
from build_tools.recipe.schema import Adapter
from medlora_edge.errors import CorruptError, UsageError

Kind = Literal["linear", "head", "embedding"]

_REFUSALS = (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError, RuntimeError)


@dataclass(frozen=True)
class Counts:
    """Trained numbers, and two totals that include them.

    `total` is the true one. `total_packed_4bit` counts a 4-bit layer's storage, two weights a byte, as older
    programs did: their "trainable %" is about twice as high.
    """

    trainable: int
    total: int
    total_packed_4bit: int

    @property
    def percent(self) -> float:
        """Trained share of all numbers."""
        return 100 * self.trainable / self.total

    @property
    def percent_packed_4bit(self) -> float:
        """Trained share as a program says that counts packed storage."""
        return 100 * self.trainable / self.total_packed_4bit


@dataclass(frozen=True)
class Matrix:
    """A weight matrix by its module's name. A linear layer maps `columns` inputs to `rows` outputs.

    `kind`: "linear" layers are held in 4 bits and may get an adapter; "head" and "embedding" stay as they are.
    """

    name: str
    rows: int
    columns: int
    kind: Kind

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.rows * self.columns


@dataclass(frozen=True)
class Skeleton:
    """All weights of a model by size: its matrices, tied ones once, and how many numbers are left beside them."""

    matrices: tuple[Matrix, ...]
    rest: int

    @property
    def total(self) -> int:
        """Numbers in all."""
        return self.rest + sum(matrix.size for matrix in self.matrices)

    @property
    def linear(self) -> tuple[Matrix, ...]:
        """The layers that a 4-bit base packs."""
        return tuple(matrix for matrix in self.matrices if matrix.kind == "linear")


def count(place: Path, adapter: Adapter | Literal["none"]) -> Counts:
    """Count for a model folder or a config.json alone; "none" trains all weights.

    Raises what `skeleton` and `adapted` raise, and what reading the file does.
    """
    config = read(place)
    return count_shape(config, skeleton(config), adapter)


def count_shape(config: Mapping[str, Any], model: Skeleton, adapter: Adapter | Literal["none"]) -> Counts:
    """Count for a shape whose skeleton is there already. An adapter has rank x (inputs + outputs) numbers a layer."""
    if adapter == "none":
        return Counts(model.total, model.total, model.total)
    trainable = adapter.rank * sum(matrix.rows + matrix.columns for matrix in adapted(config, model, adapter))
    packed = sum(matrix.size - (matrix.size + 1) // 2 for matrix in model.linear)
    return Counts(trainable, model.total + trainable, model.total - packed + trainable)


def adapted(config: Mapping[str, Any], model: Skeleton, adapter: Adapter) -> tuple[Matrix, ...]:
    """The layers that get an adapter: those whose name ends in one of the targets, as PEFT matches them.

    Raises UsageError for a target that matches no layer.
    """
    found = []
    for target in targets(config, adapter):
        matches = [matrix for matrix in model.linear if f".{matrix.name}".endswith(f".{target}")]
        if not matches:
            raise UsageError(f"{target!r} matches no linear layer of this model", where="target_modules")
        found += matches
    return tuple(dict.fromkeys(found))


def skeleton(config: Mapping[str, Any]) -> Skeleton:
    """Build the model on the meta device and list its weights.

    Raises UsageError for an architecture that is not in the table, CorruptError where transformers refuses the shape.
    """
    model = on_meta(config)
    kinds: dict[Any, Kind] = {model.get_input_embeddings(): "embedding", model.get_output_embeddings(): "head"}
    matrices, rest = [], 0
    for name, weight in model.named_parameters():  # a tied weight comes once
        module = model.get_submodule(name.rpartition(".")[0])
        kind = kinds.get(module, _kind(module))
        if kind and name.endswith(".weight"):
            rows, columns = _rows_and_columns(module)
            matrices.append(Matrix(name.removesuffix(".weight"), rows, columns, kind))
        else:
            rest += weight.numel()
    return Skeleton(tuple(matrices), rest)


def on_meta(config: Mapping[str, Any]) -> Any:
    """The model of transformers without weights."""
    import torch

    with torch.device("meta"):
        return built(config)


def built(config: Mapping[str, Any], **options: Any) -> Any:
    """The model of transformers on whatever kind of tensor is in force; `options` as for `from_config`."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModelForCausalLM

    name_of(config)
    values = dict(config)
    try:
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(values.pop("model_type"), **values), **options)
    except (*_REFUSALS, StrictDataclassError) as error:
        raise CorruptError(f"transformers cannot build this shape: {error}", where="config.json") from error


def _kind(module: Any) -> Literal["linear"] | None:
    return "linear" if type(module).__name__ in {"Linear", "FalconLinear", "Conv1D"} else None


def _rows_and_columns(module: Any) -> tuple[int, int]:
    """Outputs and inputs; GPT-2's Conv1D keeps its weight the other way round."""
    first, second = module.weight.shape
    return (second, first) if type(module).__name__ == "Conv1D" else (first, second)
