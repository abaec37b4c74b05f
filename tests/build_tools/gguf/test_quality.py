"""The quantise gate passes a good file, and stops noise, fallback types and a file without the fine-tune."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import random_model
from build_tools.data.rows import Row
from build_tools.gates.report import GateReport, require
from build_tools.gguf.quality import Pair, held_out_loss, quantise_gate
from build_tools.gguf.quantise import quantise
from build_tools.recipe.schema import QuantiseGate
from medlora_edge.errors import GateError
from tests.build_tools.gguf import makers
from tests.build_tools.gguf.conftest import Files


def missed(report: GateReport) -> set[str]:
    return {measure.name for measure in report.measures if not measure.passed}


def figure(report: GateReport, name: str) -> float:
    return next(measure.value for measure in report.measures if measure.name == name)


def test_a_good_file_passes(files: Files, held_out: list[Row], tmp_path: Path) -> None:
    report = quantise_gate(files.tuned, files.base, held_out, QuantiseGate())
    assert missed(report) == set()
    assert figure(report, "retention of the fine-tune") > 0.9
    assert figure(report, "positions that the fine-tune changed") > 100
    assert 0 < figure(report, "mean KL (nats)") < figure(report, "99 % KL (nats)")
    assert require(report, tmp_path / "whatever.gguf") is report


def test_a_file_without_the_fine_tune_does_not_pass(files: Files, held_out: list[Row]) -> None:
    report = quantise_gate(Pair(files.tuned.f16, files.base.quantised), files.base, held_out, QuantiseGate())
    assert figure(report, "retention of the fine-tune") < 0.1
    assert {"retention of the fine-tune", "mean KL (nats)", "relative perplexity increase"} <= missed(report)


def test_a_fine_tune_that_changed_nothing_does_not_pass(files: Files, held_out: list[Row]) -> None:
    report = quantise_gate(files.base, files.base, held_out, QuantiseGate())
    assert {"positions that the fine-tune changed", "retention of the fine-tune"} <= missed(report)


def test_a_file_with_noise_does_not_pass_and_is_put_aside(files: Files, held_out: list[Row], tmp_path: Path) -> None:
    def noise(name: str, numbers: Any) -> None:
        if numbers.ndim == 2:
            spread = numbers.astype(np.float32).std()
            numbers += (np.random.default_rng(0).standard_normal(numbers.shape) * spread).astype(np.float16)

    noisy = makers.patch(files.tuned.f16, tmp_path / "noisy-f16.gguf", noise)
    quantise(noisy, tmp_path / "noisy.gguf", "Q3_K_L")
    report = quantise_gate(Pair(files.tuned.f16, tmp_path / "noisy.gguf"), files.base, held_out, QuantiseGate())
    assert {"mean KL (nats)", "99 % KL (nats)", "relative perplexity increase"} <= missed(report)
    with pytest.raises(GateError, match="mean KL"):
        require(report, tmp_path / "noisy.gguf")
    assert not (tmp_path / "noisy.gguf").exists()
    assert (tmp_path / "noisy.gguf.rejected").is_file()
    assert GateReport.model_validate_json((tmp_path / "noisy.gguf.rejected.json").read_bytes()) == report


def test_a_file_of_fallback_types_does_not_pass(
    held_out: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = random_model.Shape(
        hidden=64, layers=2, feed_forward=128, heads=4, kv_heads=2, vocabulary=2048, context=512
    )
    monkeypatch.setitem(random_model.SHAPES, "narrow", narrow)
    pair = Pair(tmp_path / "f16.gguf", tmp_path / "q3.gguf")
    random_model.write_f16(pair.f16, "narrow", seed=0)
    quantise(pair.f16, pair.quantised, "Q3_K_L")
    report = quantise_gate(pair, pair, held_out, QuantiseGate())
    assert figure(report, "fallback share") == 1
    assert "fallback share" in missed(report)


def test_held_out_loss_tells_the_fine_tune_from_its_base(files: Files, held_out: list[Row]) -> None:
    tuned, base = held_out_loss(files.tuned.quantised, held_out), held_out_loss(files.base.quantised, held_out)
    assert tuned < base / 2
    assert held_out_loss(files.tuned.f16, held_out) == pytest.approx(tuned, rel=0.1)
