"""Adapters into the weights of their base, one layer at a time, so that a 7B model fits beside 16 GB of memory.

The base folder is copied and the changed layers are overwritten in the copy: every other byte stays what it was. Never
done inside 4-bit weights, which would round most of the change away.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from build_tools.bases import shape
from build_tools.bases.counts import on_meta
from build_tools.bases.loading import load as load_model
from build_tools.merging import model_folder, stored_tensors
from build_tools.merging.adapter import AdapterFacts, check
from build_tools.merging.lineage import require_4bit, require_line
from build_tools.merging.lora_layers import LoraLayer
from build_tools.merging.stored_tensors import StoredTensor
from medlora_edge.errors import CorruptError, UsageError

Onto = Literal["full", "dequantised"]


def merge(base: Path, adapters: Sequence[Path], out: Path, *, onto: Onto) -> None:
    """Write `out`, a model folder: W + sum of scale * B @ A over the adapters, oldest first, summed in fp32.

    `full`: W as the base stores it. `dequantised`: W of every layer that training held in 4 bits is what those 4 bits
    say, which is what the adapter was trained to correct. Each is stored in the base's own type.
    Raises UsageError, CorruptError (also where a sum is not finite) and ResourceError; `out` is then not there.
    """
    if not adapters:
        raise UsageError("no adapter to merge")
    facts = [check(adapter, base) for adapter in adapters]
    require_line(adapters)
    if onto == "dequantised":
        require_4bit(adapters)
    with model_folder.new_folder(out) as folder:
        model_folder.copy(base, folder)
        _overwrite_changed(base, facts, folder, onto)


def _overwrite_changed(base: Path, facts: Sequence[AdapterFacts], folder: Path, onto: Onto) -> None:
    stored = _by_module(base, folder)
    changes = _changes(facts)
    for module, weight in _starting_weights(base, stored, changes, onto):
        merged = sum((_delta(*change) for change in changes.get(module, ())), start=weight)
        stored_tensors.overwrite(_found(stored, module, base), merged)


def _starting_weights(
    base: Path, stored: Mapping[str, StoredTensor], changes: Mapping[str, Any], onto: Onto
) -> Iterator[tuple[str, Any]]:
    """Layers to write by module name, each with its W in fp32 and in the layout of its file."""
    done = set()
    if onto == "dequantised":
        for module, weight in _dequantised(base):
            done.add(module)
            yield module, weight
    for module in changes:
        if module not in done:
            yield module, stored_tensors.load(_found(stored, module, base))


def _dequantised(base: Path) -> Iterator[tuple[str, Any]]:
    """What the 4-bit layers hold once the base is loaded as training loads it."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit
    from transformers.pytorch_utils import Conv1D

    for name, module in load_model(base, 4).named_modules():
        if isinstance(module, Linear4bit):
            weight = dequantize_4bit(module.weight.data, module.weight.quant_state).float().cpu()
            yield name, weight.T if issubclass(module.source_cls, Conv1D) else weight


def _changes(facts: Sequence[AdapterFacts]) -> dict[str, list[tuple[LoraLayer, AdapterFacts]]]:
    changes: dict[str, list[tuple[LoraLayer, AdapterFacts]]] = {}
    for adapter in facts:
        for layer in adapter.layers:
            changes.setdefault(layer.module, []).append((layer, adapter))
    return changes


def _delta(layer: LoraLayer, adapter: AdapterFacts) -> Any:
    """scale * B @ A in fp32, in the layout in which the base stores W. LoRA: arXiv 2106.09685, section 4.1."""
    a = stored_tensors.load(adapter.tensors[layer.a])
    b = stored_tensors.load(adapter.tensors[layer.b])
    delta = layer.scale * (b @ a)
    return delta.T if layer.transposed else delta


def _by_module(base: Path, folder: Path) -> dict[str, StoredTensor]:
    """Stored weights by the name that their module has in the model; files may leave out the model's own prefix."""
    prefix = on_meta(shape.read(base)).base_model_prefix + "."
    stored = {}
    for name, tensor in model_folder.model_tensors(folder).items():
        module = name.removesuffix(".weight")
        stored[module] = tensor
        if not name.startswith(prefix):
            stored.setdefault(prefix + module, tensor)
    return stored


def _found(stored: Mapping[str, StoredTensor], module: str, base: Path) -> StoredTensor:
    try:
        return stored[module]
    except KeyError:
        raise CorruptError(f"the base's files lack the tensor {module}.weight", where=str(base)) from None
