"""Whether a model of this shape can ever become a GGUF that computes the same, said before it is trained.

Each rule is read off the pinned llama.cpp: its converter, and its graph of the architecture.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from build_tools.bases.architectures import ARCHITECTURES, name_of
from build_tools.bases.counts import Skeleton
from build_tools.preflight.problem import Problem

CONFIG = "config.json"
ROPE_TYPES = ("default", "linear", "yarn", "llama3", "longrope", "su")


def check_architecture(config: Mapping[str, Any], model: Skeleton) -> list[Problem]:
    """Everything about the architecture that the converter stops at, or would convert into another model."""
    match name_of(config):
        case "FalconForCausalLM":
            found = [*_falcon(config, model)]
        case "GPT2LMHeadModel":
            found = [*_gpt2(config)]
        case _:
            found = [*_rope(config), *_sliding_window(config)]
    return [*found, *_activation(config), *_tied(config)]


def _falcon(config: Mapping[str, Any], model: Skeleton) -> Iterator[Problem]:
    graph = "llama.cpp's Falcon"
    if config.get("alibi"):
        yield _cannot(f"{graph} computes rotary positions; this model has ALiBi", "alibi")
    if not (config.get("parallel_attn", True) or config.get("new_decoder_architecture")):
        yield _cannot(f"{graph} computes attention and feed-forward in parallel; this model one after the other",
                      "parallel_attn")  # fmt: skip
    if config.get("bias"):
        yield _cannot(f"{graph} has no biases; this model does", "bias")
    if config.get("ffn_hidden_size") not in (None, 4 * config["hidden_size"]):
        yield _cannot(f"{graph} is 4 times as wide in the feed-forward layers as elsewhere", "ffn_hidden_size")
    heads = config.get("num_attention_heads") or config.get("n_head") or 1
    groups = config.get("num_kv_heads") or config.get("n_head_kv") or 1
    rows = next(matrix.rows for matrix in model.linear if matrix.name.endswith("query_key_value"))
    if rows != (heads + 2 * groups) * config["hidden_size"] // heads:
        yield _cannot(
            f"the converter expects {groups} key-value heads; the weights have another number", "num_kv_heads"
        )


def _gpt2(config: Mapping[str, Any]) -> Iterator[Problem]:
    if "n_ctx" not in config:
        yield _cannot("the converter reads the context length of a GPT-2 from `n_ctx`, which is missing", "n_ctx",
                      fix=f"add \"n_ctx\": {config.get('n_positions', 1024)} to {CONFIG}")  # fmt: skip
    if config.get("n_inner") not in (None, 4 * config.get("n_embd", 768)):
        yield _cannot("llama.cpp's GPT-2 is 4 times as wide in the feed-forward layers as elsewhere", "n_inner")


def _rope(config: Mapping[str, Any]) -> Iterator[Problem]:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind not in ROPE_TYPES:
        yield _cannot(f"the converter passes over rotary positions of type {kind!r}", "rope_scaling")


def _sliding_window(config: Mapping[str, Any]) -> Iterator[Problem]:
    window = config.get("sliding_window")
    if window and config.get("use_sliding_window", True):
        what = f"llama.cpp attends to the whole context here: above {window} tokens it differs from what was trained"
        yield Problem(severity="warning", what=what, where=f"sliding_window in {CONFIG}")


def _activation(config: Mapping[str, Any]) -> Iterator[Problem]:
    known = ARCHITECTURES[name_of(config)].activations
    keys = ("hidden_activation", "hidden_act", "activation_function", "activation")
    key = next((key for key in keys if config.get(key)), None)
    if key and config[key] not in known:
        yield _cannot(f"llama.cpp computes {known[0]} in this architecture, not {config[key]}", key)


def _tied(config: Mapping[str, Any]) -> Iterator[Problem]:
    always = ("GemmaForCausalLM", "GPT2LMHeadModel", "FalconForCausalLM")
    if config.get("tie_word_embeddings", name_of(config) in always):
        what = "output and embedding are one matrix: it is quantised once, and an adapter on it cannot be exported"
        yield Problem(severity="note", what=what, where=f"tie_word_embeddings in {CONFIG}")


def _cannot(what: str, key: str, *, fix: str | None = None) -> Problem:
    return Problem(severity="error", what=f"no GGUF can be made: {what}", where=f"{key} in {CONFIG}", fix=fix)
