"""What a training step keeps in memory beside the weights, found by running it on tensors without content.

The model's own code runs forward and backward on PyTorch's fake tensors, which have shapes and no storage, while every
storage it asks for is counted until it is freed. So any architecture, mask, dropout and recomputation is counted as it
is written. Layers are alike, so one and two of them tell what all would take.
"""

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from build_tools.bases.architectures import targets
from build_tools.bases.counts import built
from build_tools.recipe.schema import Adapter, ChatStage, CompletionStage

Stage = CompletionStage | ChatStage


@dataclass(frozen=True)
class Activations:
    """Bytes, gradients of weights left out.

    `kept`: what the forward pass leaves for the backward pass. `peak`: the most at any moment of both.
    """

    kept: int
    peak: int


def activations(config: Mapping[str, Any], stage: Stage, *, cuda: bool) -> Activations:
    """Of one micro-batch of full rows through the blocks; what the loss takes is not in it.

    Raises CorruptError where transformers refuses the shape.
    """
    layers = int(config.get("num_hidden_layers") or config["n_layer"])
    one, two = (_of_layers(config, stage, number, cuda=cuda) for number in (1, 2))
    return Activations(
        kept=one.kept + (layers - 1) * (two.kept - one.kept), peak=one.peak + (layers - 1) * (two.peak - one.peak)
    )


def mixed_precision(stage: Stage, cuda: bool) -> bool:
    """Whether training computes matrix products in bf16 where the trained weights are fp32."""
    return stage.load_bits != 32 and (cuda or stage.adapter == "none")


def _of_layers(config: Mapping[str, Any], stage: Stage, layers: int, *, cuda: bool) -> Activations:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    shape = {**config, "num_hidden_layers": layers}
    if "layer_types" in shape:
        shape["layer_types"] = shape["layer_types"][:layers]
    if {"rope_parameters", "rope_scaling"} & shape.keys():  # some scalings look at the positions, which fake ones lack
        shape |= {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}, "rope_scaling": None}
    model = _trainable(shape, stage)
    with FakeTensorMode():
        blocks = _without_content(model).base_model
        with _kernels(stage, cuda=cuda), _counting() as memory:
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed_precision(stage, cuda)):
                rows = torch.zeros(stage.batch.micro, stage.max_length, dtype=torch.long)
                hidden = blocks(rows, position_ids=rows.clone(), use_cache=False).last_hidden_state
            kept = memory.live
            torch.autograd.backward(hidden, torch.empty_like(hidden))
            del hidden
            gradients = memory.live
    return Activations(kept, max(kept, memory.peak - gradients))


def _trainable(shape: Mapping[str, Any], stage: Stage) -> Any:
    """The model as training prepares it, but for the packing of 4-bit layers, which compute in bf16."""
    import torch
    from peft import LoraConfig, get_peft_model

    exact = stage.load_bits == 32 or stage.adapter == "none"
    with torch.device("meta"):
        model = built(shape, dtype=torch.float32 if exact else torch.bfloat16)
    if isinstance(stage.adapter, Adapter):
        lora = LoraConfig(
            r=stage.adapter.rank,
            lora_dropout=stage.adapter.dropout,
            target_modules=targets(shape, stage.adapter),
            fan_in_fan_out=any(type(module).__name__ == "Conv1D" for module in model.modules()),
        )
        model = get_peft_model(model, lora).get_base_model()
    if stage.checkpoint_activations:
        model.activation_checkpointing_enable()
        model.enable_input_require_grads()
    return model.train()


def _without_content(model: Any) -> Any:
    """The same model on fake tensors of the CPU, where the kernels are those of real training; meta has none."""
    import torch

    for module in model.modules():
        for key, weight in module._parameters.items():
            if weight is not None:
                module._parameters[key] = torch.nn.Parameter(
                    torch.empty(weight.shape, dtype=weight.dtype), requires_grad=weight.requires_grad
                )
        for key, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[key] = torch.empty(buffer.shape, dtype=buffer.dtype)
    return model


@contextlib.contextmanager
def _kernels(stage: Stage, *, cuda: bool) -> Iterator[None]:
    """Two choices that PyTorch and transformers make by content or device, which fake tensors of the CPU hide.

    Rows of one document need no mask, and CUDA's dropout keeps a bool where the CPU's keeps a float. A mode that
    overrides functions would not be in force while a checkpointed layer is computed again.
    """
    import torch
    from torch.nn import functional

    attention, dropout = functional.scaled_dot_product_attention, functional.dropout

    def causal(*tensors: Any, **options: Any) -> Any:
        return attention(*tensors, **{**options, "attn_mask": None, "is_causal": True})

    def fused(values: Any, p: float = 0.5, training: bool = True, *_: Any) -> Any:
        return torch.native_dropout(values, p, train=True)[0] if training else values

    try:
        if not stage.packing:
            functional.scaled_dot_product_attention = causal
        if cuda:
            functional.dropout = fused  # type: ignore[assignment]
        yield
    finally:
        functional.scaled_dot_product_attention, functional.dropout = attention, dropout


class _Memory:
    """Bytes of the storages that are alive now, and the most there were."""

    def __init__(self) -> None:
        from torch.utils.weak import WeakIdKeyDictionary

        self.live = self.peak = 0
        self._known = WeakIdKeyDictionary()

    def add(self, storage: Any) -> None:
        if storage in self._known:
            return
        size = storage.nbytes()
        self._known[storage] = size
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._freed, size)

    def _freed(self, size: int) -> None:
        self.live -= size


@contextlib.contextmanager
def _counting() -> Iterator[_Memory]:
    """Count every storage that an operation inside the block makes."""
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    memory = _Memory()

    class Counter(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(result):
                if isinstance(tensor, Tensor):
                    memory.add(tensor.untyped_storage())
            return result

    with Counter():
        yield memory
