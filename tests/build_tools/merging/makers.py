"""Tiny random bases and adapters for them, in the folders that training leaves."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from build_tools.bases import loading, origin
from build_tools.bases.origin import LoadBits, Origin
from build_tools.data.rows import Row
from build_tools.manifest import sha256_of_folder

VOCABULARY = 512
ALL_LLAMA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def _config(kind: str, *, tied: bool) -> Any:
    from transformers import FalconConfig, GemmaConfig, GPT2Config, LlamaConfig, MistralConfig, Qwen2Config

    if kind == "gpt2":
        return GPT2Config(
            vocab_size=VOCABULARY, n_embd=256, n_layer=2, n_head=4, n_positions=128, initializer_range=0.1
        )
    if kind == "falcon":
        return FalconConfig(vocab_size=VOCABULARY, hidden_size=256, num_hidden_layers=2, num_attention_heads=4)
    llama_like = {"gemma": GemmaConfig, "llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config}
    return llama_like[kind](
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=tied,
        initializer_range=0.1,
    )


def base(folder: Path, kind: str = "llama", *, tied: bool = False, dtype: str = "bfloat16", seed: int = 0) -> Path:
    """Save a model of 2 layers with random weights and the files of a tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_config(kind, tied=tied)).to(getattr(torch, dtype))
    model.save_pretrained(folder)
    (folder / "tokenizer.model").write_bytes(b"\x00pieces\xff")
    (folder / "tokenizer_config.json").write_bytes(b'{"model_max_length":  128}\n')
    (folder / "chat_template.jinja").write_bytes(b"{% for m in messages %}{{ m.content }}{% endfor %}")
    return folder


def adapter(
    folder: Path,
    on: Path,
    *,
    before: Sequence[Path] = (),
    targets: Sequence[str] = ALL_LLAMA,
    bits: LoadBits = 4,
    effect: float = 0.02,
    seed: int = 1,
    **changes: Any,
) -> Path:
    """Save a LoRA adapter of rank 8 whose B is as if trained: normal, of deviation `effect`."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=list(targets), task_type="CAUSAL_LM", **changes)
    model = get_peft_model(loading.load(on, bits), config)
    for name, weight in model.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(weight, std=effect)
    model.save_pretrained(folder)
    belongs_to(folder, on, before=before, bits=bits)
    return folder


def belongs_to(folder: Path, on: Path, *, before: Sequence[Path] = (), bits: LoadBits = 4) -> None:
    """Record that the adapter in `folder` was trained on `on`, as training does."""
    earlier = tuple(sha256_of_folder(path) for path in before)
    origin.write(folder, Origin(base_sha256=sha256_of_folder(on), adapters=earlier, load_bits=bits))


def rows(count: int = 6, length: int = 64, seed: int = 2) -> list[Row]:
    """Held-out rows of random tokens whose second half is trained."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        ids = random.integers(0, VOCABULARY, length).astype(np.int32)
        labels = ids.copy()
        labels[: length // 2] = -100
        made.append(Row(ids=(f"row{number}",), input_ids=ids, labels=labels, seq_lengths=(length,)))
    return made


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Rewrite a safetensors file with `change` made to its tensors by name."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    change(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file, metadata={"format": "pt"})
