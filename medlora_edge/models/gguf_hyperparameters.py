"""Checks of a chat model's hyperparameters: in range, and in agreement with each other and with the tensors.

Out of range, many of them make llama.cpp abort its process rather than refuse the file.
"""

import re
from array import array
from math import isfinite

from medlora_edge.models.gguf_header import GgufHeader

MAX_LAYERS = 512
MAX_CONTEXT = 10 << 20
MAX_WIDTH = 1 << 20
MAX_EXPERTS = 1024
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")

# Recurrent networks without attention: llama.cpp's `llm_arch_is_recurrent`.
RECURRENT = ("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7")

EMBEDDINGS = "token_embd.weight"
BLOCK = re.compile(r"blk\.([0-9]{1,9})\.")


def check_hyperparameters(header: GgufHeader) -> None:
    """Raise CorruptError when a hyperparameter is missing, out of range or in disagreement."""
    layers = _ranged(header, "block_count", 1, MAX_LAYERS)
    _ranged(header, "context_length", 1, MAX_CONTEXT)
    width = _ranged(header, "embedding_length", 1, MAX_WIDTH)
    for size in header.per_layer(header.model_key("feed_forward_length"), layers, 0):
        _require(header, "feed_forward_length", 0 <= size <= MAX_WIDTH, f"{size} is not between 0 and {MAX_WIDTH}")
    _check_floats(header)
    _check_rope(header)
    _check_experts(header, layers)
    if header.architecture not in RECURRENT:
        _check_heads(header, layers, width)
    _check_embeddings(header, width)
    _check_blocks(header, layers)


def _require(header: GgufHeader, name: str, holds: bool, problem: str) -> None:
    if not holds:
        raise header.corrupt(f"impossible hyperparameter: {problem}", where=f"key {header.model_key(name)!r}")


def _ranged(header: GgufHeader, name: str, low: int, high: int, default: int | None = None) -> int:
    value = header.integer(header.model_key(name), default)
    _require(header, name, low <= value <= high, f"{value} is not between {low} and {high}")
    return value


def _check_floats(header: GgufHeader) -> None:
    prefix = header.model_key("")
    for key, value in header.values.items():
        if not isinstance(value, float) or not key.startswith(prefix):
            continue
        if not isfinite(value) or (key.endswith("_epsilon") and not 0 <= value < 1):
            raise header.corrupt(f"impossible hyperparameter: {value}", where=f"key {key!r}")


def _check_rope(header: GgufHeader) -> None:
    scaling = header.text(header.model_key("rope.scaling.type"), "linear")
    _require(header, "rope.scaling.type", scaling in ROPE_SCALINGS, f"unknown RoPE scaling {scaling!r}")
    rotated = _ranged(header, "rope.dimension_count", 0, MAX_WIDTH, 0)
    _require(header, "rope.dimension_count", rotated % 2 == 0, f"{rotated} is odd, but RoPE turns pairs")


def _check_experts(header: GgufHeader, layers: int) -> None:
    count = _ranged(header, "expert_count", 0, MAX_EXPERTS, 0)
    used = max(header.per_layer(header.model_key("expert_used_count"), layers, 0))
    possible = 1 <= used <= count if count else used == 0
    _require(header, "expert_used_count", possible, f"{used} of {count} experts")
    extra = _ranged(header, "nextn_predict_layers", 0, MAX_LAYERS, 0)
    _require(header, "nextn_predict_layers", extra <= layers, f"{extra} of {layers} layers")


def _check_heads(header: GgufHeader, layers: int, width: int) -> None:
    heads = header.per_layer(header.model_key("attention.head_count"), layers)
    key_key = header.model_key("attention.head_count_kv")
    shared = header.per_layer(key_key, layers) if key_key in header.values else heads
    most = max(heads)
    _require(header, "attention.head_count", 1 <= most <= width and min(heads) >= 0, f"{most} heads")
    for query, key in zip(heads, shared, strict=True):
        fits = 0 <= key <= query and (key == 0 or query % key == 0)
        _require(header, "attention.head_count_kv", fits, f"{query} heads cannot share {key} key/value heads")
    size = _head_size(header, width, [count for count in heads if count])
    rotated = header.integer(header.model_key("rope.dimension_count"), 0)
    _require(header, "rope.dimension_count", rotated <= size, f"{rotated} is more than a head's size of {size}")


def _head_size(header: GgufHeader, width: int, heads: list[int]) -> int:
    if header.model_key("attention.key_length") in header.values:
        _ranged(header, "attention.value_length", 1, MAX_WIDTH, 1)
        return _ranged(header, "attention.key_length", 1, MAX_WIDTH)
    fits = all(width % (2 * count) == 0 for count in heads)
    _require(header, "attention.head_count", fits, f"{max(heads)} heads do not divide {width} into even parts")
    return width // min(heads)


def _check_embeddings(header: GgufHeader, width: int) -> None:
    tokens = header.strings("tokenizer.ggml.tokens")
    shape = next((tensor.shape for tensor in header.tensors if tensor.name == EMBEDDINGS), None)
    if not shape or not tokens:
        raise header.corrupt("the token embeddings or the tokens are missing", where=f"tensor {EMBEDDINGS!r}")
    if shape != (width, len(tokens)):
        what = f"the token embeddings are {shape}, not {width} numbers for each of {len(tokens)} tokens"
        raise header.corrupt(what, where=f"tensor {EMBEDDINGS!r}")


def _check_blocks(header: GgufHeader, layers: int) -> None:
    found = {int(match[1]) for tensor in header.tensors if (match := BLOCK.match(tensor.name))}
    needed = layers - header.integer(header.model_key("nextn_predict_layers"), 0)
    _require(header, "block_count", max(found, default=-1) < layers, f"{layers} layers, but tensors of more")
    # A network with a width per layer may leave some layers empty (Nemotron).
    if isinstance(header.values.get(header.model_key("feed_forward_length")), array):
        return
    missing = set(range(needed)) - found
    _require(
        header,
        "block_count",
        not missing,
        f"{layers} layers, but layer {min(missing, default=0)} has no tensor",
    )
