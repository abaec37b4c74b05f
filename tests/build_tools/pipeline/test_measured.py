"""Benches of a run become figures, paired tests and bars for its card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.pipeline.measured import macro_f1_interval, measured
from build_tools.pipeline.measuring import BEFORE, MERGED, SHIPS, benches
from build_tools.pipeline.shipped import check_result
from build_tools.pipeline.step import silent
from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.metrics import confusion, macro_f1
from medlora_edge.bench.schema import Label, RunSettings, Sample
from medlora_edge.errors import CorruptError, UsageError
from tests.bench.samples import card, sample

STARTER = Path(__file__).parents[3] / "models" / "starter"
GOLD: tuple[Label, ...] = ("yes",) * 11 + ("no",) * 7 + ("maybe",) * 2
Answer = Callable[[Label], Label | None]
PERFECT: Answer = lambda gold: gold  # noqa: E731
YES: Answer = lambda _: "yes"  # noqa: E731


def write(folder: Path, mode: Mode, samples: list[Sample]) -> None:
    folder.mkdir(parents=True)
    whole = card(n_items=len(GOLD), settings=RunSettings(mode=mode, max_tokens=128))
    (folder / "card.json").write_text(whole.model_dump_json())
    (folder / "samples.jsonl").write_text("".join(f"{one.model_dump_json()}\n" for one in samples))


def run_folder(place: Path, **answers: Answer) -> Path:
    by_model = {BEFORE: YES, MERGED: PERFECT, SHIPS: PERFECT, **answers}
    for name, mode, folder in benches(place):
        write(folder, mode, [sample(str(n), gold, by_model[name](gold)) for n, gold in enumerate(GOLD)])
    return place


def gated(sha256: str = "a" * 64) -> dict[str, StepRecord]:
    """The starter's gate, as if all files that it compared had this hash."""
    gate = runfolder.records(STARTER / "run")["gate"]
    return {"gate": gate.model_copy(update={"inputs": dict.fromkeys(gate.inputs, sha256)})}


def test_figures_of_nine_benches(tmp_path: Path) -> None:
    found: Any = measured(run_folder(tmp_path), gated())
    wanted = [(name, mode) for name, mode, _ in benches(tmp_path)]
    assert [(one["model"], one["mode"]) for one in found["runs"]] == wanted
    before, ships = found["runs"][0], found["runs"][-1]
    assert (before["accuracy"], ships["accuracy"], ships["macro_f1"]) == (0.55, 1.0, 1.0)
    assert found["majority"] == {"accuracy": 0.55, "macro_f1": pytest.approx(before["macro_f1"])}
    assert before["macro_f1_interval"][0] < before["macro_f1"] < before["macro_f1_interval"][1]
    assert {(test["against"], test["difference"]) for test in found["tests"]} == {("always yes", 0.45), (BEFORE, 0.45)}
    assert all(bar["value"] == 1.0 for bar in found["bars"])
    assert all(aim["met"] for aim in found["aims"])


def test_answers_that_quantising_changed_are_not_kept(tmp_path: Path) -> None:
    found: Any = measured(run_folder(tmp_path, ships=lambda gold: None if gold == "maybe" else gold), gated())
    assert found["kept"][-1] == {"mode": "generate", "of": 20, "same": 18, "share": 0.9}
    assert [bar["value"] for bar in found["bars"]] == [0.9, 0.9]


def test_a_bench_that_is_missing_or_unfinished_is_named(tmp_path: Path) -> None:
    run_folder(tmp_path)
    journal = tmp_path / "bench" / "merged-f16-score" / "samples.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]))
    with pytest.raises(UsageError, match="unfinished: merged-f16-score"):
        measured(tmp_path, gated())
    journal.with_name("card.json").unlink()
    with pytest.raises(UsageError, match="unfinished: merged-f16-score"):
        measured(tmp_path, gated())


def test_figures_of_another_gguf_than_went_through_the_gate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="before-score is of another GGUF") as stale:
        measured(run_folder(tmp_path), gated("b" * 64))
    assert "measure again" in str(stale.value)


def test_so_are_those_of_a_shipped_manifest() -> None:
    description, records = runfolder.description(STARTER / "run"), runfolder.records(STARTER / "run")
    assert check_result(STARTER, description, records, silent)
    gate = records["gate"]
    file = next(name for name in gate.inputs if name.endswith("f16.gguf"))
    records["gate"] = gate.model_copy(update={"inputs": {**gate.inputs, file: "b" * 64}})
    with pytest.raises(CorruptError, match="merged-f16-score is of another GGUF"):
        check_result(STARTER, description, records, silent)


def test_the_interval_of_macro_f1_is_that_of_resampled_items() -> None:
    predicted = [*GOLD[:15], "yes", None, "no", "yes", "maybe"]
    items = np.random.default_rng(7).integers(0, len(GOLD), (2000, len(GOLD)))
    scores = [macro_f1(confusion([GOLD[n] for n in draw], [predicted[n] for n in draw])) for draw in items]
    low, high = macro_f1_interval(confusion(GOLD, predicted))
    assert (low, high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.02)
