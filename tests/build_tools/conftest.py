"""What every test of the builder may lean on: a tiny base from scratch, and its tokenizer under other architectures."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases import scratch
from build_tools.recipe.schema import Scratch

SAMPLE = Path(scratch.__file__).parents[2] / "medlora_edge" / "bench" / "sample_pubmedqa.json"

TINY = Scratch(hidden=256, layers=2, heads=4, kv_heads=2, feed_forward=512, vocabulary=1024, context=512)

_LLAMA_LIKE: dict[str, Any] = {
    "vocab_size": TINY.vocabulary,
    "hidden_size": TINY.hidden,
    "intermediate_size": TINY.feed_forward,
    "num_hidden_layers": TINY.layers,
    "num_attention_heads": TINY.heads,
    "num_key_value_heads": TINY.kv_heads,
    "max_position_embeddings": TINY.context,
}
_FALCON: dict[str, Any] = {
    "vocab_size": TINY.vocabulary,
    "hidden_size": TINY.hidden,
    "num_hidden_layers": TINY.layers,
    "num_attention_heads": TINY.heads,
}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", _LLAMA_LIKE | {"tie_word_embeddings": False}),
    "mistral": ("mistral", _LLAMA_LIKE | {"sliding_window": None, "tie_word_embeddings": False}),
    "qwen2": ("qwen2", _LLAMA_LIKE),
    "gemma": ("gemma", _LLAMA_LIKE | {"head_dim": 64}),
    "gpt2": (
        "gpt2",
        {"vocab_size": TINY.vocabulary, "n_embd": TINY.hidden, "n_layer": TINY.layers, "n_head": TINY.heads}
        | {"n_positions": TINY.context, "n_ctx": TINY.context},
    ),
    "falcon": ("falcon", _FALCON | {"num_kv_heads": 1}),
    "falcon-rw": (
        "falcon",
        _FALCON | {"alibi": True, "parallel_attn": False, "multi_query": False, "bias": True},
    ),
}
"""Tiny shapes by layout: transformers' model type and what differs from its default configuration."""


def sentences() -> Iterator[str]:
    """Text that the tiny tokenizer is trained on."""
    yield from _texts(json.loads(SAMPLE.read_text(encoding="utf-8")))
    yield from ("yes.", "no.", "maybe.", "(A)", "(B)", "(C)", "(D)", "(E)", "system", "user", "assistant") * 8


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list():
            for item in value:
                yield from _texts(item)


@pytest.fixture(scope="session")
def scratch_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with random float32 weights and a tokenizer that owns the ChatML tokens. Do not write into it."""
    folder = tmp_path_factory.mktemp("scratch") / "base"
    scratch.make(TINY, sentences(), folder, seed=0)
    return folder


@pytest.fixture(scope="session")
def tiny_bases(scratch_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`tiny_bases(layout)`: a random tiny model of any of `SHAPES` with that tokenizer. Do not write into it."""
    place = tmp_path_factory.mktemp("tiny-bases")

    def base(layout: str) -> Path:
        folder = place / layout
        if not folder.exists():
            _make(layout, scratch_base, folder)
        return folder

    return base


def _make(layout: str, scratch_base: Path, folder: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, values = SHAPES[layout]
    special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **values, **special))
    model.save_pretrained(folder)
    for file in scratch_base.iterdir():
        if file.name.startswith("token") or file.suffix == ".jinja":
            shutil.copyfile(file, folder / file.name)
