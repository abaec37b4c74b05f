"""The merged folder: right weights by PEFT's own reckoning, all else byte for byte, whole or absent."""

import json
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases import loading
from build_tools.merging.adapter import WEIGHTS
from build_tools.merging.merge import Onto, merge
from build_tools.merging.parity import parity
from build_tools.recipe.schema import MergeGate
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from tests.build_tools.merging import makers

GPT2 = ("c_attn", "c_proj", "c_fc")
TENSORS = "model.safetensors"


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / TENSORS))


def merged_by_peft(base: Path, adapters: Sequence[Path]) -> dict[str, Any]:
    """PEFT's own merge of one adapter after the other onto the fp32 base."""
    from peft import PeftModel

    model = loading.load(base, 32)
    for adapter in adapters:
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
    return dict(model.state_dict())


@pytest.mark.parametrize("onto", ["full", "dequantised"])
@pytest.mark.parametrize(
    ("kind", "tied", "dtype", "targets"),
    [
        ("llama", False, "bfloat16", makers.ALL_LLAMA),
        ("llama", True, "float32", ("q_proj", "v_proj")),
        ("mistral", False, "float16", makers.ALL_LLAMA),
        ("qwen2", True, "bfloat16", makers.ALL_LLAMA),
        ("qwen2", False, "float32", ("q_proj", "down_proj")),
        ("gemma", True, "bfloat16", makers.ALL_LLAMA),
        ("falcon", True, "bfloat16", ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h")),
        ("gpt2", True, "bfloat16", GPT2),
        ("gpt2", True, "float32", ("c_proj",)),
    ],
)
def test_each_layout_passes_parity_on_both_bases(
    tmp_path: Path, kind: str, tied: bool, dtype: str, targets: tuple[str, ...], onto: Onto
) -> None:
    base = makers.base(tmp_path / "base", kind, tied=tied, dtype=dtype)
    adapter = makers.adapter(tmp_path / "adapter", base, targets=targets)
    merge(base, [adapter], tmp_path / "merged", onto=onto)
    report = parity(base, [adapter], tmp_path / "merged", makers.rows(), MergeGate(), onto=onto)
    assert report.passed, [str(measure) for measure in report.measures]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"use_rslora": True},
        {"rank_pattern": {"q_proj": 4}, "alpha_pattern": {"layers.1.mlp.up_proj": 3}},
    ],
)
def test_weights_are_those_of_peft(tmp_path: Path, changes: dict[str, Any]) -> None:
    base = makers.base(tmp_path / "base", dtype="float32")
    adapter = makers.adapter(tmp_path / "adapter", base, **changes)
    merge(base, [adapter], tmp_path / "merged", onto="full")
    expected = merged_by_peft(base, [adapter])
    for name, values in tensors(tmp_path / "merged").items():
        assert values.allclose(expected[name], atol=1e-6), name


@pytest.mark.parametrize("targets", [GPT2, ("c_proj",)])
def test_gpt2_weights_are_those_of_peft_in_the_layout_of_its_file(tmp_path: Path, targets: tuple[str, ...]) -> None:
    base = makers.base(tmp_path / "base", "gpt2", tied=True, dtype="float32")
    adapter = makers.adapter(tmp_path / "adapter", base, targets=targets)
    merge(base, [adapter], tmp_path / "merged", onto="full")
    expected = merged_by_peft(base, [adapter])
    for name, values in tensors(tmp_path / "merged").items():
        assert values.allclose(expected[name], atol=1e-6), name


def test_a_file_without_the_models_prefix_is_merged_alike(tmp_path: Path) -> None:
    """The form in which GPT-2 is published: `h.0...` where the model says `transformer.h.0...`."""
    base = makers.base(tmp_path / "base", "gpt2", tied=True, dtype="float32")

    def shorten(named: dict[str, Any]) -> None:
        for name in list(named):
            named[name.removeprefix("transformer.")] = named.pop(name)

    makers.edit(base / TENSORS, shorten)
    adapter = makers.adapter(tmp_path / "adapter", base, targets=GPT2)
    merge(base, [adapter], tmp_path / "merged", onto="full")
    expected = merged_by_peft(base, [adapter])
    for name, values in tensors(tmp_path / "merged").items():
        assert values.allclose(expected[f"transformer.{name}"], atol=1e-6), name


def test_stacked_adapters_are_summed(tmp_path: Path) -> None:
    base = makers.base(tmp_path / "base", dtype="float32")
    first = makers.adapter(tmp_path / "first", base, targets=("q_proj", "v_proj"))
    second = makers.adapter(tmp_path / "second", base, before=[first], seed=5, use_rslora=True)
    merge(base, [first, second], tmp_path / "merged", onto="full")
    expected = merged_by_peft(base, [first, second])
    for name, values in tensors(tmp_path / "merged").items():
        assert values.allclose(expected[name], atol=1e-6), name
    for onto in ("full", "dequantised"):
        out = tmp_path / onto
        merge(base, [first, second], out, onto=onto)
        assert parity(base, [first, second], out, makers.rows(), MergeGate(), onto=onto).passed


def test_the_dequantised_base_is_rounded_in_every_layer_that_training_had_in_4_bits(tmp_path: Path, base: Path) -> None:
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    adapter = makers.adapter(tmp_path / "adapter", base, targets=("q_proj",))
    merge(base, [adapter], tmp_path / "merged", onto="dequantised")
    before, after = tensors(base), tensors(tmp_path / "merged")
    for name, values in before.items():
        if "_proj" not in name:
            assert after[name].equal(values), name
        elif "q_proj" not in name:
            packed, state = quantize_4bit(values, quant_type="nf4", compress_statistics=True)
            assert after[name].equal(dequantize_4bit(packed, state)), name
            assert not after[name].equal(values), name


def test_only_adapted_layers_change_and_files_keep_their_bytes(base: Path, merged: Path) -> None:
    before, after = tensors(base), tensors(merged)
    assert {name for name in before if not after[name].equal(before[name])} == {n for n in before if "_proj" in n}
    assert {path.name for path in merged.iterdir()} == {path.name for path in base.iterdir()}
    for path in base.iterdir():
        if path.name != TENSORS:
            assert (merged / path.name).read_bytes() == path.read_bytes()


def test_what_else_lies_in_the_base_folder_is_left_there(tmp_path: Path, base: Path) -> None:
    full = Path(shutil.copytree(base, tmp_path / "base"))
    for name in ("step.json", "pytorch_model.bin", "consolidated.safetensors", "train.log"):
        (full / name).write_bytes(b"x")
    adapter = makers.adapter(tmp_path / "adapter", full)
    merge(full, [adapter], tmp_path / "merged", onto="full")
    assert {path.name for path in (tmp_path / "merged").iterdir()} == {path.name for path in base.iterdir()}


def test_a_base_in_several_files_is_merged_alike(tmp_path: Path, base: Path, merged: Path) -> None:
    sharded = tmp_path / "base"
    loading.load(base, "stored").save_pretrained(sharded, max_shard_size="1MB")
    assert len(list(sharded.glob("*.safetensors"))) > 1
    adapter = makers.adapter(tmp_path / "adapter", sharded)
    merge(sharded, [adapter], tmp_path / "merged", onto="full")
    expected, found = tensors(merged), loading.load(tmp_path / "merged", "stored").state_dict()
    assert all(found[name].equal(expected[name]) for name in expected)


def test_a_missing_file_of_several_is_named(tmp_path: Path, base: Path) -> None:
    sharded = tmp_path / "base"
    loading.load(base, "stored").save_pretrained(sharded, max_shard_size="1MB")
    adapter = makers.adapter(tmp_path / "adapter", sharded)
    lost = sorted(sharded.glob("*.safetensors"))[1]
    lost.unlink()
    makers.belongs_to(adapter, sharded)
    with pytest.raises(CorruptError, match="weights is missing") as caught:
        merge(sharded, [adapter], tmp_path / "merged", onto="full")
    assert caught.value.where == str(lost)
    assert not (tmp_path / "merged").exists()


def test_two_chat_templates_that_differ_are_refused(tmp_path: Path, base: Path) -> None:
    """The one inside tokenizer_config.json would win."""
    stale = Path(shutil.copytree(base, tmp_path / "base"))
    (stale / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ old }}"}))
    adapter = makers.adapter(tmp_path / "adapter", stale)
    with pytest.raises(UsageError, match=r"another one than chat_template\.jinja"):
        merge(stale, [adapter], tmp_path / "merged", onto="full")
    assert not (tmp_path / "merged").exists()


def test_of_several_chat_templates_the_default_one_counts(tmp_path: Path, base: Path) -> None:
    same = Path(shutil.copytree(base, tmp_path / "base"))
    several = [{"name": "tool_use", "template": "{{ tools }}"}]
    several.append({"name": "default", "template": (same / "chat_template.jinja").read_text()})
    (same / "tokenizer_config.json").write_text(json.dumps({"chat_template": several}))
    merge(same, [makers.adapter(tmp_path / "adapter", same)], tmp_path / "merged", onto="full")
    assert (tmp_path / "merged" / "tokenizer_config.json").read_bytes() == (same / "tokenizer_config.json").read_bytes()


def test_a_sum_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    base = makers.base(tmp_path / "base", dtype="float16")
    adapter = makers.adapter(tmp_path / "adapter", base, effect=1e6)
    with pytest.raises(CorruptError, match=r"q_proj\.weight would not be finite in F16"):
        merge(base, [adapter], tmp_path / "merged", onto="full")
    assert [path.name for path in tmp_path.iterdir() if "merged" in path.name] == []


def test_a_damaged_adapter_leaves_nothing(tmp_path: Path, base: Path, adapter: Path) -> None:
    broken = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    makers.edit(broken / WEIGHTS, lambda named: named.popitem())
    with pytest.raises(CorruptError, match="is missing"):
        merge(base, [broken], tmp_path / "merged", onto="full")
    assert not (tmp_path / "merged").exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, base: Path, adapter: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(ResourceError, match="cannot write the merged model"):
            merge(base, [adapter], tmp_path / "merged", onto="full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.glob("*merged*")) == []


def test_what_a_killed_merge_left_is_swept_away(tmp_path: Path, base: Path, adapter: Path, merged: Path) -> None:
    (tmp_path / ".merged.partial").mkdir()
    (tmp_path / ".merged.partial" / "junk").write_bytes(b"x")
    merge(base, [adapter], tmp_path / "merged", onto="full")
    assert {path.name for path in (tmp_path / "merged").iterdir()} == {path.name for path in merged.iterdir()}


def test_an_existing_folder_is_not_overwritten(base: Path, adapter: Path, merged: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        merge(base, [adapter], merged, onto="full")


def test_a_16_bit_training_has_no_dequantised_base(tmp_path: Path, base: Path) -> None:
    adapter = makers.adapter(tmp_path / "adapter", base, bits=16)
    with pytest.raises(UsageError, match="in 16 bits"):
        merge(base, [adapter], tmp_path / "merged", onto="dequantised")
    merge(base, [adapter], tmp_path / "merged", onto="full")
    assert parity(base, [adapter], tmp_path / "merged", makers.rows(), MergeGate(), onto="full").passed


def test_a_base_without_safetensors_is_refused(tmp_path: Path, base: Path) -> None:
    pickled = Path(shutil.copytree(base, tmp_path / "base"))
    adapter = makers.adapter(tmp_path / "adapter", pickled)
    (pickled / TENSORS).rename(pickled / "pytorch_model.bin")
    makers.belongs_to(adapter, pickled)
    with pytest.raises(UsageError, match=r"no model\.safetensors"):
        merge(pickled, [adapter], tmp_path / "merged", onto="full")
