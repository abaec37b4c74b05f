"""Compute a 4- or 16-bit model's outputs in fp32 without holding its weights in fp32.

Rounding of activations to bf16 moves logits more than a sound merge does, and would hide an unsound one.
"""

from functools import partial
from typing import Any


def in_fp32(model: Any) -> Any:
    """Make each layer compute in fp32: its weights are widened while it runs, and put back after.

    Costs the memory of the largest layer in fp32, the model's own size apart. Only for inference.
    """
    import torch
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.forward = partial(_forward_4bit, module)
            continue
        if any(parameter.dtype != torch.float32 for parameter in module.parameters(recurse=False)):
            stored: list[Any] = []
            module.register_forward_pre_hook(partial(_widen, stored))
            module.register_forward_hook(partial(_restore, stored))
    return model


def _widen(stored: list[Any], module: Any, *_: object) -> None:
    for parameter in module.parameters(recurse=False):
        stored.append(parameter.data)
        parameter.data = parameter.data.float()


def _restore(stored: list[Any], module: Any, *_: object) -> None:
    for parameter, values in zip(module.parameters(recurse=False), stored, strict=True):
        parameter.data = values
    stored.clear()


def _forward_4bit(layer: Any, inputs: Any) -> Any:
    """On the weights that training multiplies with; bitsandbytes' kernels for inference round them differently."""
    from bitsandbytes.functional import dequantize_4bit
    from torch.nn.functional import linear

    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    return linear(inputs.float(), weight, None if layer.bias is None else layer.bias.float())
