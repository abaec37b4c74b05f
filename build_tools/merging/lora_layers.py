"""Which layers of a base an adapter changes, and how: worked out on the meta device, before any weight is read."""

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from build_tools.bases import shape
from build_tools.bases.counts import on_meta
from medlora_edge.errors import CorruptError, UsageError

CONFIG = "adapter_config.json"
PREFIX = "base_model.model."  # PEFT writes it before the name of every tensor of an adapter
WITHOUT_EFFECT = {  # on merged weights
    "auto_mapping",
    "base_model_name_or_path",
    "ensure_weight_tying",
    "fan_in_fan_out",
    "inference_mode",
    "lora_dropout",
    "megatron_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "task_type",
}


class _Config(BaseModel):
    """The part of an adapter's configuration that says what it does to which layers."""

    r: int = Field(ge=1)
    lora_alpha: float = Field(gt=0)
    target_modules: list[str] | str
    use_rslora: bool = False
    rank_pattern: dict[str, int] = Field(default_factory=dict)
    alpha_pattern: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True)
class LoraLayer:
    """One changed layer: W + scale * B @ A, where A is (rank, inputs) and B is (outputs, rank).

    `transposed`: its base stores W as (inputs, outputs), as GPT-2's Conv1D does.
    """

    module: str
    rank: int
    inputs: int
    outputs: int
    scale: float
    transposed: bool

    @property
    def a(self) -> str:
        """Name of A in the adapter's file."""
        return f"{PREFIX}{self.module}.lora_A.weight"

    @property
    def b(self) -> str:
        """Name of B in the adapter's file."""
        return f"{PREFIX}{self.module}.lora_B.weight"

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape that each of its two tensors has in the adapter's file."""
        return {self.a: (self.rank, self.inputs), self.b: (self.outputs, self.rank)}


def lora_layers(adapter: Path, base: Path) -> tuple[LoraLayer, ...]:
    """The layers of `base` that the adapter's configuration speaks of, in the base's order.

    Raises CorruptError for a configuration that is damaged or names layers that the base does not have, UsageError for
    an adapter that is more than LoRA on linear layers.
    """
    path = adapter / CONFIG
    config = _read(path)
    model = on_meta(shape.read(base))
    _inject(config, model, path)
    layers = tuple(_described(model, path))
    if isinstance(config.target_modules, list):
        _require_found(config.target_modules, layers, path)
    return layers


def _read(path: Path) -> _Config:
    try:
        content = json.loads(path.read_bytes())
        config = _Config.model_validate(content)
    except FileNotFoundError as error:
        raise CorruptError("the adapter lacks its configuration", where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise CorruptError(f"the adapter's configuration is damaged: {key}: {first['msg']}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise CorruptError("the adapter's configuration is no JSON", where=str(path)) from error
    _require_plain(content, path)
    return config


def _require_plain(content: Mapping[str, Any], path: Path) -> None:
    """Every key that is not understood here has to stand at the value with which it does nothing."""
    from peft import LoraConfig

    harmless = LoraConfig().to_dict()
    understood = WITHOUT_EFFECT | set(_Config.model_fields)
    beyond = sorted(key for key, value in content.items() if key not in understood and value != harmless.get(key))
    if beyond:
        raise UsageError(
            f"the adapter is more than LoRA on linear layers: {', '.join(beyond)}",
            where=str(path),
            fix="train it as this program trains, or merge it with the program that made it",
        )


def _inject(config: _Config, model: Any, path: Path) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fan_in_fan_out is set right for Conv1D, and said
        try:
            inject_adapter_in_model(LoraConfig(**config.model_dump()), model, low_cpu_mem_usage=True)
        except ValueError as error:
            raise CorruptError(f"the adapter does not fit this base: {error}", where=str(path)) from error


def _described(model: Any, path: Path) -> Iterable[LoraLayer]:
    from peft.tuners import lora
    from transformers.pytorch_utils import Conv1D

    for name, module in model.named_modules():
        if not isinstance(module, lora.LoraLayer):
            continue
        if not isinstance(module, lora.Linear):
            raise UsageError(f"the adapter changes {name}, which is no linear layer", where=str(path))
        transposed = isinstance(module.get_base_layer(), Conv1D)
        rank, scale = module.r["default"], module.scaling["default"]
        yield LoraLayer(name, rank, module.in_features, module.out_features, scale, transposed)


def _require_found(targets: Iterable[str], layers: Iterable[LoraLayer], path: Path) -> None:
    for target in targets:
        if not any(f".{layer.module}".endswith(f".{target}") for layer in layers):
            raise CorruptError(
                f"the base has no layer {target!r}, which the adapter changes",
                where=str(path),
                fix="name the base that the adapter was trained on",
            )
