"""Same model, other form: the F16 GGUF against transformers, the hot-loaded adapter against the merged model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_tools.data.rows import Row
from build_tools.gguf.converter import convert
from build_tools.gguf.parity import adapter_parity, f16_parity
from build_tools.gguf.places import everywhere
from build_tools.recipe.schema import F16Gate
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models.gguf_reader import read_header
from tests.build_tools.gguf import makers
from tests.build_tools.gguf.conftest import Files, Models

GATE = F16Gate()
# The prompts have near ties, which another processor's arithmetic may settle otherwise: KL is the sharp bar.
TIES = F16Gate(top1_agreement=0.9)


def test_the_f16_file_answers_as_transformers_does(models: Models, files: Files, held_out: list[Row]) -> None:
    report = f16_parity(models.merged, files.tuned.f16, held_out, TIES)
    positions, kl, agreement = report.measures
    assert report.passed
    assert positions.value == GATE.positions
    assert kl.value < 1e-5
    assert agreement.value > 0.9


@pytest.mark.parametrize("layout", ["mistral", "qwen2"])
def test_other_layouts_survive_the_conversion(
    layout: str, tiny_bases: Callable[[str], Path], converter: Path, held_out: list[Row], tmp_path: Path
) -> None:
    convert(tiny_bases(layout), tmp_path / "f16.gguf", name="a-name")
    assert read_header(tmp_path / "f16.gguf").values["general.name"] == "a-name"
    assert f16_parity(tiny_bases(layout), tmp_path / "f16.gguf", held_out, GATE).passed


def test_permuted_query_and_key_are_caught(models: Models, files: Files, held_out: list[Row], tmp_path: Path) -> None:
    def permute(name: str, numbers: Any) -> None:
        if name in {"blk.0.attn_q.weight", "blk.0.attn_k.weight"}:
            heads = len(numbers) // 64
            numbers[:] = numbers.reshape(heads, 32, 2, -1).swapaxes(1, 2).reshape(numbers.shape).copy()

    wrong = makers.patch(files.tuned.f16, tmp_path / "permuted.gguf", permute)
    assert not f16_parity(models.merged, wrong, held_out, GATE).passed


def test_the_base_in_place_of_the_fine_tune_is_caught(models: Models, files: Files, held_out: list[Row]) -> None:
    assert not f16_parity(models.merged, files.base.f16, held_out, GATE).passed


def test_a_hot_loaded_adapter_answers_as_the_merged_model(files: Files, held_out: list[Row]) -> None:
    report = adapter_parity(files.base.f16, files.adapter, files.tuned.f16, held_out, TIES)
    assert report.passed
    assert report.measures[1].value < 1e-5


def test_an_adapter_at_another_scale_is_caught(files: Files, held_out: list[Row], tmp_path: Path) -> None:
    def half(name: str, numbers: Any) -> None:
        if name.endswith("lora_b"):
            numbers *= 0.5

    weak = makers.patch(files.adapter, tmp_path / "weak.gguf", half)
    assert not adapter_parity(files.base.f16, weak, files.tuned.f16, held_out, GATE).passed


def test_a_damaged_file_is_named(models: Models, held_out: list[Row], tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF")
    with pytest.raises(CorruptError, match=r"cannot load cut\.gguf"):
        f16_parity(models.merged, tmp_path / "cut.gguf", held_out, GATE)


def test_too_few_positions_do_not_pass(models: Models, files: Files, held_out: list[Row]) -> None:
    report = f16_parity(models.merged, files.tuned.f16, held_out[:1], GATE)
    assert [measure.name for measure in report.measures if not measure.passed] == ["positions"]


def test_rows_without_tokens_are_refused() -> None:
    with pytest.raises(UsageError, match="no token to compare"):
        everywhere([])
