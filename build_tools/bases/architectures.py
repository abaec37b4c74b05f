"""What is known of each architecture by name: its linear layers, and what of it llama.cpp computes."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from build_tools.recipe.schema import ALL_LINEAR, Adapter
from medlora_edge.errors import UsageError

LLAMA_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
GELU_TANH = ("gelu_pytorch_tanh", "gelu_new", "gelu_fast")


@dataclass(frozen=True)
class Architecture:
    """Names of the linear layers in a block, and the activation functions that llama.cpp's graph computes alike."""

    linear: tuple[str, ...]
    activations: tuple[str, ...]


ARCHITECTURES: Mapping[str, Architecture] = {
    "LlamaForCausalLM": Architecture(LLAMA_LINEAR, ("silu",)),
    "MistralForCausalLM": Architecture(LLAMA_LINEAR, ("silu",)),
    "Qwen2ForCausalLM": Architecture(LLAMA_LINEAR, ("silu",)),
    "GemmaForCausalLM": Architecture(LLAMA_LINEAR, ("gelu", *GELU_TANH)),
    "FalconForCausalLM": Architecture(
        ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"), ("gelu", *GELU_TANH)
    ),
    "GPT2LMHeadModel": Architecture(("c_attn", "c_proj", "c_fc"), ("gelu", *GELU_TANH)),
}


# Keys of layouts that scale or cap their logits, or add a loss that balances experts.
BEYOND_A_PLAIN_HEAD = (
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "lm_head_multiplier",
    "output_multiplier",
    "router_aux_loss_coef",
)


def plain_head(config: Mapping[str, Any]) -> bool:
    """Whether the loss is the cross-entropy of the last hidden states times one matrix, and nothing more."""
    return all(config.get(key) is None for key in BEYOND_A_PLAIN_HEAD)


def name_of(config: Mapping[str, Any]) -> str:
    """The architecture that a config.json names. Raises UsageError for none, or one that is not in the table."""
    names = config.get("architectures") or ["none"]
    if names[0] in ARCHITECTURES:
        return str(names[0])
    raise UsageError(
        f"the architecture {names[0]} is not one that can be trained here",
        where="architectures in config.json",
        fix=f"choose a base of {', '.join(ARCHITECTURES)}",
    )


def targets(config: Mapping[str, Any], adapter: Adapter) -> list[str]:
    """Names of the linear layers that get an adapter, spelled as PEFT's `target_modules` wants them.

    Raises UsageError for a name that matches no layer of the architecture.
    """
    known = ARCHITECTURES[name_of(config)].linear
    if adapter.target_modules == ALL_LINEAR:
        return list(known)
    wanted = list(adapter.target_modules)
    if unknown := [name for name in wanted if name.rpartition(".")[2] not in known]:
        raise UsageError(_matches_nothing(unknown[0], known), where="target_modules", fix=f"use {', '.join(known)}")
    return wanted


def _matches_nothing(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name!r} matches no linear layer of this architecture" + (f"; did you mean {near[0]!r}?" if near else "")
