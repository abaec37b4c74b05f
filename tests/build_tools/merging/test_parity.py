"""The gate of the merge: a sound merge passes with room to spare, each kind of damage fails."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from build_tools.data.rows import IGNORED
from build_tools.gates.report import require
from build_tools.merging.adapter import WEIGHTS
from build_tools.merging.lora_layers import CONFIG
from build_tools.merging.merge import merge
from build_tools.merging.parity import POSITIONS, parity
from build_tools.recipe.schema import MergeGate
from medlora_edge.errors import CorruptError, ExitCode, GateError, UsageError
from tests.build_tools.merging import makers

EFFECT = "error of the adapter's effect"
SMALL = 0.002  # of B: an adapter that moves logits by 2 % of their spread


def _half_as_strong(adapter: Path) -> None:
    path = adapter / CONFIG
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, "lora_alpha": settings["lora_alpha"] / 2}))


def _layer_dropped(adapter: Path) -> None:
    def zero(named: dict[str, Any]) -> None:
        for name, values in named.items():
            if ".layers.1." in name and "lora_B" in name:
                values.zero_()

    makers.edit(adapter / WEIGHTS, zero)


def _swapped(adapter: Path) -> None:
    """B @ A becomes its transpose: of a square layer, where no shape tells."""

    def swap(named: dict[str, Any]) -> None:
        for a in [name for name in named if "o_proj.lora_A" in name]:
            b = a.replace("lora_A", "lora_B")
            named[a], named[b] = named[b].T, named[a].T

    makers.edit(adapter / WEIGHTS, swap)


@pytest.mark.parametrize("effect", [0.02, SMALL])
@pytest.mark.parametrize(
    ("damage", "targets"),
    [(_half_as_strong, makers.ALL_LLAMA), (_layer_dropped, makers.ALL_LLAMA), (_swapped, ("o_proj",))],
)
def test_a_wrong_merge_fails(
    tmp_path: Path, base: Path, damage: Callable[[Path], None], targets: tuple[str, ...], effect: float
) -> None:
    """The merge is done with a damaged copy of the adapter, and measured against the sound one."""
    sound = makers.adapter(tmp_path / "sound", base, targets=targets, effect=effect)
    wrong = Path(shutil.copytree(sound, tmp_path / "wrong"))
    damage(wrong)
    merge(base, [wrong], tmp_path / "merged", onto="full")
    report = parity(base, [sound], tmp_path / "merged", makers.rows(), MergeGate(), onto="full")
    assert not report.passed
    assert EFFECT in {measure.name for measure in report.measures if not measure.passed}


def test_a_merge_that_lost_a_small_adapter_fails_by_its_effect_alone(tmp_path: Path) -> None:
    """Every other figure is that of a sound merge: the model is nearly the same without the adapter."""
    base = makers.base(tmp_path / "base", "gpt2", tied=True)
    adapter = makers.adapter(tmp_path / "adapter", base, targets=("c_proj",), effect=SMALL)
    report = parity(base, [adapter], base, makers.rows(), MergeGate(), onto="full")
    assert [measure.name for measure in report.measures if not measure.passed] == [EFFECT]


def test_a_merge_onto_the_other_base_fails(tmp_path: Path, base: Path, adapter: Path, merged: Path) -> None:
    report = parity(base, [adapter], merged, makers.rows(), MergeGate(), onto="dequantised")
    assert not report.passed


def test_a_merge_that_lacks_the_first_of_two_adapters_fails(tmp_path: Path, base: Path, adapter: Path) -> None:
    second = makers.adapter(tmp_path / "second", base, before=[adapter], seed=7)
    merge(base, [adapter, second], tmp_path / "both", onto="full")
    assert parity(base, [adapter, second], tmp_path / "both", makers.rows(), MergeGate(), onto="full").passed
    merge(base, [adapter], tmp_path / "one", onto="full")
    assert not parity(base, [adapter, second], tmp_path / "one", makers.rows(), MergeGate(), onto="full").passed


@pytest.fixture
def tied(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A base whose head is its embeddings, an adapter, and a sound merge."""
    base = makers.base(tmp_path / "base", "qwen2", tied=True)
    adapter = makers.adapter(tmp_path / "adapter", base)
    merge(base, [adapter], tmp_path / "merged", onto="full")
    return base, adapter, tmp_path / "merged"


def test_a_tied_head_that_drifted_fails(tied: tuple[Path, Path, Path]) -> None:
    base, adapter, merged = tied

    def drift(named: dict[str, Any]) -> None:
        import torch

        embeddings = named["model.embed_tokens.weight"]
        named["model.embed_tokens.weight"] = embeddings + 0.02 * torch.randn_like(embeddings)

    makers.edit(merged / "model.safetensors", drift)
    assert not parity(base, [adapter], merged, makers.rows(), MergeGate(), onto="full").passed


def test_a_head_saved_apart_from_its_embeddings_is_caught_after_the_reload(tied: tuple[Path, Path, Path]) -> None:
    base, adapter, merged = tied

    def part(named: dict[str, Any]) -> None:
        named["lm_head.weight"] = named["model.embed_tokens.weight"] * 1.1

    makers.edit(merged / "model.safetensors", part)
    with pytest.raises(CorruptError, match="head should be the token embeddings"):
        parity(base, [adapter], merged, makers.rows(), MergeGate(), onto="full")


def test_a_tensor_that_is_gone_is_named(tied: tuple[Path, Path, Path]) -> None:
    """transformers would start it at random, with a note in its log."""
    base, adapter, merged = tied
    lost = "model.layers.1.mlp.up_proj.weight"
    makers.edit(merged / "model.safetensors", lambda named: named.pop(lost))
    with pytest.raises(CorruptError, match=lost):
        parity(base, [adapter], merged, makers.rows(), MergeGate(), onto="full")


def test_an_untrained_adapter_passes(tmp_path: Path, base: Path) -> None:
    adapter = makers.adapter(tmp_path / "adapter", base, effect=0.0)
    merge(base, [adapter], tmp_path / "merged", onto="full")
    report = parity(base, [adapter], tmp_path / "merged", makers.rows(), MergeGate(), onto="full")
    assert [measure.value for measure in report.measures] == [0, pytest.approx(0, abs=1e-12), 1, 0]


def test_the_figures_do_not_depend_on_rows_beyond_the_limit(base: Path, adapter: Path, merged: Path) -> None:
    rows = makers.rows(count=POSITIONS // 32 + 4)
    whole = parity(base, [adapter], merged, rows, MergeGate(), onto="full")
    assert whole == parity(base, [adapter], merged, rows[: POSITIONS // 32], MergeGate(), onto="full")


def test_rows_without_a_trained_token_say_so(base: Path, adapter: Path, merged: Path) -> None:
    (row,) = makers.rows(count=1)
    row.labels[:] = np.int32(IGNORED)
    with pytest.raises(UsageError, match="no held-out position"):
        parity(base, [adapter], merged, [row], MergeGate(), onto="full")


def test_a_failed_gate_sets_the_merged_folder_aside(tmp_path: Path, base: Path, adapter: Path) -> None:
    out = tmp_path / "merged"
    merge(base, [adapter], out, onto="full")
    strict = MergeGate(mean_kl=1e-9)
    with pytest.raises(GateError, match="mean KL") as caught:
        require(parity(base, [adapter], out, makers.rows(), strict, onto="full"), out)
    assert caught.value.code is ExitCode.GATE
    assert not out.exists()
    assert (tmp_path / "merged.rejected" / "model.safetensors").is_file()
