"""Damaged adapters are refused with exit code 3, the tensor named; whole ones are described."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases import origin
from build_tools.merging.adapter import WEIGHTS, check
from build_tools.merging.lora_layers import CONFIG
from medlora_edge.errors import CorruptError, ExitCode, UsageError
from tests.build_tools.merging import makers

Q = "base_model.model.model.layers.1.self_attn.q_proj"
A, B = f"{Q}.lora_A.weight", f"{Q}.lora_B.weight"
Tensors = dict[str, Any]


@pytest.fixture
def copy(tmp_path: Path, adapter: Path) -> Path:
    """The sound adapter, to be damaged."""
    return Path(shutil.copytree(adapter, tmp_path / "adapter"))


def configure(adapter: Path, **changes: Any) -> None:
    path = adapter / CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _drop(tensors: Tensors) -> None:
    del tensors[B]


def _surplus(tensors: Tensors) -> None:
    tensors[A.replace("lora_A", "lora_C")] = tensors[A].clone()


def _elsewhere(tensors: Tensors) -> None:
    tensors[A.replace("layers.1", "layers.7")] = tensors[A].clone()


def _misshapen(tensors: Tensors) -> None:
    tensors[A] = tensors[A][:, :-1]


def _swapped(tensors: Tensors) -> None:
    tensors[A], tensors[B] = tensors[B], tensors[A]


def _nan(tensors: Tensors) -> None:
    tensors[B][3, 3] = float("nan")


def _infinite(tensors: Tensors) -> None:
    tensors[A][0, 0] = float("inf")


def _empty(tensors: Tensors) -> None:
    tensors[B] = tensors[B][:0]


def _integers(tensors: Tensors) -> None:
    tensors[B] = tensors[B].long()


@pytest.mark.parametrize(
    ("damage", "tensor", "said"),
    [
        (_drop, B, "is missing"),
        (_surplus, A.replace("lora_A", "lora_C"), "one too many"),
        (_elsewhere, A.replace("layers.1", "layers.7"), "no adapted layer of this base"),
        (_misshapen, A, r"has the shape \(8, 255\), not \(8, 256\)"),
        (_swapped, A, "has the shape"),
        (_nan, B, "1 values that are no numbers"),
        (_infinite, A, "1 values that are no numbers or infinite"),
        (_empty, B, r"has the shape \(0, 8\)"),
        (_integers, B, "type I64"),
    ],
)
def test_a_damaged_tensor_is_named(
    copy: Path, base: Path, damage: Callable[[Tensors], None], tensor: str, said: str
) -> None:
    makers.edit(copy / WEIGHTS, damage)
    with pytest.raises(CorruptError, match=said) as caught:
        check(copy, base)
    assert tensor in str(caught.value)
    assert caught.value.code is ExitCode.CORRUPT


def test_a_truncated_file_names_the_tensor_that_is_cut(copy: Path, base: Path) -> None:
    content = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(content[:-100])
    with pytest.raises(CorruptError, match="truncated") as caught:
        check(copy, base)
    assert "tensor base_model.model.model.layers.1" in str(caught.value)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, origin.FILE])
def test_a_missing_file_is_named(copy: Path, base: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(CorruptError) as caught:
        check(copy, base)
    assert str(copy / name) in str(caught.value)


@pytest.mark.parametrize("name", [CONFIG, origin.FILE])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"r": 0}', b"\xff"])
def test_a_damaged_record_is_named(copy: Path, base: Path, name: str, content: bytes) -> None:
    (copy / name).write_bytes(content)
    with pytest.raises(CorruptError) as caught:
        check(copy, base)
    assert str(copy / name) in str(caught.value)


def test_another_base_of_the_same_shape_is_refused(copy: Path, base: Path, tmp_path: Path) -> None:
    other = makers.base(tmp_path / "other", seed=9)
    with pytest.raises(CorruptError, match="was trained on a base with SHA-256"):
        check(copy, other)


def test_a_layer_that_the_base_does_not_have_is_named(copy: Path, base: Path) -> None:
    configure(copy, target_modules=[*makers.ALL_LLAMA, "c_attn"])
    with pytest.raises(CorruptError, match="no layer 'c_attn'"):
        check(copy, base)
    configure(copy, target_modules=["c_attn"])
    with pytest.raises(CorruptError, match="c_attn"):
        check(copy, base)


@pytest.mark.parametrize(
    "changes",
    [
        {"use_dora": True},
        {"modules_to_save": ["lm_head"]},
        {"trainable_token_indices": [3]},
        {"bias": "all"},
        {"init_lora_weights": "pissa"},
        {"peft_type": "IA3"},
        {"exclude_modules": ["v_proj"]},
        {"a_key_of_tomorrow": 1},
    ],
)
def test_more_than_plain_lora_is_refused_by_its_key(copy: Path, base: Path, changes: dict[str, Any]) -> None:
    configure(copy, **changes)
    with pytest.raises(UsageError, match=next(iter(changes))):
        check(copy, base)


def test_an_adapter_on_the_embeddings_is_refused(copy: Path, base: Path) -> None:
    configure(copy, target_modules=["embed_tokens"])
    with pytest.raises(UsageError, match="embed_tokens, which is no linear layer"):
        check(copy, base)


def test_a_missing_folder_is_the_users_mistake(base: Path, adapter: Path, tmp_path: Path) -> None:
    for pair in [(tmp_path / "none", base), (adapter.parent, base), (adapter, tmp_path / "none")]:
        with pytest.raises(UsageError, match="folder"):
            check(*pair)


def test_a_sound_adapter_is_described(adapter: Path, base: Path) -> None:
    facts = check(adapter, base)
    assert len(facts.layers) == 14
    assert facts.weights == 2 * 8 * (2 * 512 + 2 * 384 + 3 * 768)
    assert {layer.scale for layer in facts.layers} == {2.0}
    assert facts.unchanged == ()


def test_an_untrained_adapter_is_sound_and_its_layers_are_said_to_be_unchanged(tmp_path: Path, base: Path) -> None:
    facts = check(makers.adapter(tmp_path / "new", base, effect=0.0), base)
    assert facts.unchanged == tuple(layer.module for layer in facts.layers)


def test_a_layer_that_was_not_trained_is_reported(copy: Path, base: Path) -> None:
    makers.edit(copy / WEIGHTS, lambda tensors: tensors[B].zero_())
    facts = check(copy, base)
    assert facts.unchanged == ("model.layers.1.self_attn.q_proj",)
