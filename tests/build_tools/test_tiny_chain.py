"""The whole chain, as a builder runs it: from a recipe to a GGUF that is installed and answers [R11, R15, R16, R29]."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.pipeline import shipped as shipped_again
from build_tools.pipeline.card import render
from build_tools.pipeline.card_facts import facts
from build_tools.pipeline.describing import manifest_of
from build_tools.pipeline.measuring import measure
from build_tools.pipeline.run import Phase, run
from build_tools.pipeline.ship import ship
from build_tools.pipeline.sweep_table import figures
from build_tools.pipeline.verify import verify
from build_tools.recipe import Recipe, load
from medlora_edge import models
from medlora_edge.cli.progress import Progress
from medlora_edge.errors import CorruptError, GateError, UsageError
from medlora_edge.models.manifest import Manifest, read_manifest
from tests.build_tools.cli.program import run as medlora_build
from tests.cli.program import run as medlora_edge

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "build_tools" / "recipes" / "tiny.yaml"
GUARD = Path(__file__).with_name("socket_guard")
PROGRAM = Path(sys.executable).with_name("medlora-build")


@dataclass(frozen=True)
class Built:
    """A finished run and the words of the program that made it."""

    folder: Path
    home: Path
    socket_log: Path
    done: "subprocess.CompletedProcess[str]"

    @property
    def records(self) -> dict[str, StepRecord]:
        return runfolder.records(self.folder)

    @property
    def gguf(self) -> Path:
        return self.folder / "result" / "tiny-q3_k_l.gguf"

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.gguf.parent)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, sdist: Path) -> Built:
    """`medlora-build run tiny.yaml`, once for all tests, in a home of its own with the fetched converter."""
    place = tmp_path_factory.mktemp("chain")
    home, log = place / "home", place / "sockets"
    (home / "data" / "converter").mkdir(parents=True)
    (home / "data" / "converter" / sdist.name).symlink_to(sdist)
    own = {"MEDLORA_HOME": str(home), "PYTHONPATH": str(GUARD), "SOCKET_LOG": str(log), "OMP_NUM_THREADS": "2"}
    command: list[str | Path] = [PROGRAM, "run", RECIPE, "--out", place / "run"]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False, timeout=590)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(place / "run", home, log, done)


@pytest.fixture
def copy(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run folder to be changed."""
    monkeypatch.setenv("MEDLORA_HOME", str(built.home))
    return Path(shutil.copytree(built.folder, tmp_path / "run"))


def recipe() -> Recipe:
    return load(RECIPE)


def test_nothing_touched_a_network(built: Built) -> None:
    assert not built.socket_log.exists(), built.socket_log.read_text()


def test_the_result_holds_real_q3_k_tensors(built: Built) -> None:
    types = models.read_header(built.gguf).tensor_types
    scratch = recipe().base.scratch
    assert scratch
    layers = scratch.layers
    assert types == {"Q3_K": 4 * layers + 1, "Q5_K": 3 * layers, "Q6_K": 1, "F32": 2 * layers + 1}


def test_every_hop_passed_its_gates(built: Built) -> None:
    gated = {name: record.gates for name, record in built.records.items() if record.gates}
    assert set(gated) == {
        "merged/answers-full",
        "merged/answers-dequantised",
        "gguf/full-f16",
        "gguf/dequantised-f16",
        "gguf/base-f16",
        "gate",
    }
    assert all(report.passed for reports in gated.values() for report in reports)
    assert "gate of quantising passed" in built.done.stdout


def test_the_candidate_with_the_lower_held_out_loss_ships(built: Built) -> None:
    facts: Any = built.records["gate"].facts
    assert set(facts["losses"]) == {"full", "dequantised"}
    assert facts["chosen"] == min(facts["losses"], key=facts["losses"].get)
    shipped = built.folder / "gguf" / f"{facts['chosen']}-q3_k_l" / built.gguf.name
    assert built.gguf.read_bytes() == shipped.read_bytes()


def test_it_trained_four_bit_with_eight_bit_optimiser_state(built: Built) -> None:
    stage = recipe().stages[-1]
    assert (stage.load_bits, stage.optimiser.name) == (4, "adamw_bnb_8bit")
    before: Any = built.records["train/text"].facts
    facts: Any = built.records["train/answers"].facts
    assert facts["trainable_parameters"] == facts["counts"]["trainable"]
    assert facts["counts"]["total_packed_4bit"] < facts["counts"]["total"]
    assert facts["held_out_loss"] < before["held_out_loss"]


def test_the_card_says_what_was_made_and_measured(built: Built) -> None:
    text = (built.folder / "result" / "card.md").read_text()
    assert text == render(built.manifest)
    for part in (
        "Not a medical device",
        "Demonstration model, not for clinical use",
        "medlora-edge models add FILE",
        "Only the gates above were measured",
        "| licence | Apache-2.0 |",
        "retention of the fine-tune",
        "No bar is looser than its default.",
        "medlora-edge bench pubmedqa --model tiny-q3_k_l",
        "| Q3_K | 17 |",
        "| weights trained | 3,672,320 | 311,296 |",
        "ships",
        "seed 1",
    ):
        assert part in text


def test_the_card_refuses_without_gate_results(built: Built) -> None:
    for name in ("gate", "gguf/full-f16", "merged/answers-full"):
        done = built.records
        done[name] = done[name].model_copy(update={"gates": ()})
        with pytest.raises(GateError, match=f"{name} has none"):
            facts(recipe(), done)


def test_a_loosened_bar_is_named_in_the_card(built: Built) -> None:
    lower = load(RECIPE, overrides={"gates": {"quantise": {"retention": 0.5}}})
    manifest = manifest_of(built.gguf, built.manifest.sha256, lower, built.records, name="lower")
    assert "- `gates.quantise.retention`: 0.5 instead of 0.8" in render(manifest)


def test_the_catalogue_takes_it_with_its_manifest_and_it_answers(built: Built) -> None:
    added = medlora_edge("models", "add", built.gguf)
    assert added.returncode == 0, added.stderr
    installed = models.find("tiny-q3_k_l").manifest
    assert installed.lineage == built.manifest.lineage
    assert (installed.licence, installed.demonstration) == ("Apache-2.0", True)
    assert "Not a medical device" in installed.notes
    answer = medlora_edge("ask", "What is anaemia?", "--max-tokens", "8", "--json", "--temperature", "0")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["timings"]["generated_tokens"] > 0
    assert "DEMONSTRATION MODEL" in answer.stderr


def test_an_adapter_by_itself_is_hot_loaded_over_its_base(built: Built, tmp_path: Path, converter: Path) -> None:
    assert converter.is_dir()
    trained, base, file = (
        built.folder / "train/answers/adapter",
        built.folder / "train/text/weights",
        tmp_path / "a.gguf",
    )
    made = medlora_build("adapter", trained, base, file)
    assert (made.returncode, made.stderr) == (0, "")
    untuned = built.folder / "gguf/base-q3_k_l" / built.gguf.name
    assert medlora_edge("models", "add", untuned, "--name", "untuned").returncode == 0
    ask = ("ask", "What is anaemia?", "--model", "untuned", "--max-tokens", "8", "--temperature", "0")
    plain, adapted = medlora_edge(*ask), medlora_edge(*ask, "--adapter", file)
    assert plain.returncode == adapted.returncode == 0, plain.stderr + adapted.stderr
    assert plain.stdout != adapted.stdout
    short = ("--data", RECIPE.parent / "tiny/yes_no_maybe.json", "--limit", "4", "--max-tokens", "16")
    bench = medlora_edge("bench", "pubmedqa", "--model", "untuned", "--adapter", file, *short)
    assert bench.returncode == 0, bench.stderr
    assert "untuned with adapter a on PubMedQA" in bench.stdout


def test_the_catalogue_refuses_it_with_one_byte_changed(built: Built, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(built.gguf.parent, tmp_path / "result")) / built.gguf.name
    flip(changed)
    with pytest.raises(CorruptError, match="as its manifest says"):
        models.add(changed)


def flip(path: Path) -> None:
    """Change one bit of the last byte."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_verify_names_one_flipped_byte_anywhere(copy: Path) -> None:
    assert verify(copy) > len(runfolder.records(copy))
    for name in sorted({path.relative_to(copy).as_posix() for path in copy.rglob("*") if is_watched(path)}):
        flip(copy / name)
        with pytest.raises(CorruptError) as found:
            verify(copy)
        assert Path(name).name in str(found.value), name
        flip(copy / name)
    verify(copy)


def is_watched(path: Path) -> bool:
    """Everything but checkpoints, which are no part of the result, and hidden files."""
    return path.is_file() and "checkpoints" not in path.parts and not path.name.startswith(".")


@pytest.fixture(scope="session")
def shipped(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run as a folder that comes with the program, without benches."""
    out = tmp_path_factory.mktemp("shipped") / "toy"
    ship(built.folder, out)
    return out


def test_what_ships_is_small_and_names_no_place_on_this_machine(built: Built, shipped: Path) -> None:
    names = {path.relative_to(shipped).as_posix() for path in shipped.rglob("*") if path.is_file()}
    assert {"manifest.json", "card.md", "tiny-q3_k_l.gguf", "run/run.json", "run/train/text/metrics.jsonl"} <= names
    assert {f"run/{name}/step.json" for name in built.records if name != "result"} <= names
    assert not any("safetensors" in name or "rows" in name for name in names)
    words = b"".join(path.read_bytes() for path in shipped.rglob("*") if path.suffix in {".json", ".md"})
    assert str(built.folder.parent).encode() not in words
    assert str(ROOT).encode() not in words
    assert models.read_manifest(shipped).name == "toy"


def test_verify_recomputes_the_chain_of_what_was_shipped(shipped: Path, tmp_path: Path) -> None:
    said: list[str] = []
    verify(shipped, said.append)
    assert "tiny.yaml: the recipe that was run" in said
    assert "data:tiny/facts.jsonl: intact" in said
    assert "merged/answers-full: 0 files intact, 7 not shipped, not checked" in said
    assert said[-1] == "card.md: rendered from the manifest"
    changed = Path(shutil.copytree(shipped, tmp_path / "toy"))
    for path in (path for path in sorted(changed.rglob("*")) if path.is_file()):
        flip(path)
        with pytest.raises(CorruptError):
            verify(changed)
        flip(path)
    verify(changed)


def test_verify_refuses_a_shipped_manifest_that_says_more_than_its_records(shipped: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(shipped, tmp_path / "toy"))
    manifest = models.read_manifest(changed)
    models.write_manifest(changed, manifest.model_copy(update={"licence": "MIT"}))
    with pytest.raises(CorruptError, match="does not say what the records say"):
        verify(changed)


def test_manifest_and_card_are_written_again_from_the_records(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = Path(shutil.copytree(shipped, tmp_path / "toy"))
    manifest = models.read_manifest(changed)
    models.write_manifest(changed, manifest.model_copy(update={"licence": "MIT"}))
    (changed / "card.md").write_text("another card")
    monkeypatch.setattr(sys, "argv", ["shipped", str(changed)])
    shipped_again.main()
    assert models.read_manifest(changed) == manifest
    verify(changed)


def test_a_run_ships_with_its_benches(built: Built, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="official test items"):
        measure(copy, RECIPE.parent / "tiny/yes_no_maybe.json", Progress, lambda _: None)
    (copy / "bench").mkdir(exist_ok=True)
    with pytest.raises(UsageError, match="missing or unfinished: before-score"):
        ship(copy, tmp_path / "toy")
    assert not (tmp_path / "toy").exists()


def test_a_second_run_skips_everything(built: Built, copy: Path) -> None:
    said: list[str] = []
    run(recipe(), RECIPE.parent, out=copy, say=said.append)
    steps = [line for line in said if not line.startswith("held-out loss")]
    assert steps == [f"{name}: unchanged, skipped" for name in built.records]


def test_a_missed_gate_leaves_the_gguf_as_rejected_and_a_met_one_makes_it_again(copy: Path) -> None:
    chosen = runfolder.records(copy)["gate"].facts["chosen"]
    place = copy / "gguf" / f"{chosen}-q3_k_l" / "tiny-q3_k_l.gguf"
    stricter = load(RECIPE, overrides={"gates": {"quantise": {"retention": 1.0}}})
    with pytest.raises(GateError, match="retention of the fine-tune") as missed:
        run(stricter, RECIPE.parent, out=copy)
    rejected = place.with_name(f"{place.name}.rejected")
    assert missed.value.code == 5
    assert missed.value.where == str(rejected)
    assert rejected.is_file()
    assert not place.exists()
    assert not (copy / "result").exists(), "what missed its gate still ships"
    met, measured = figures(copy)["gates_met"].split("/")
    assert int(measured) - int(met) == 1
    report = json.loads(rejected.with_name(f"{rejected.name}.json").read_text())
    assert any(measure["name"] == "retention of the fine-tune" for measure in report["measures"])
    said: list[str] = []
    run(recipe(), RECIPE.parent, out=copy, say=said.append)
    assert place.is_file()
    assert not rejected.exists()
    assert sum("begun" in line for line in said) == 3, "only quantising, its gate and the result were to be done again"
    verify(copy)


def test_a_recipe_that_rules_out_its_export_ends_with_the_merge(copy: Path) -> None:
    trained_only = load(RECIPE, overrides={"export": {"type": "none", "reason": "for a test"}})
    said: list[str] = []
    run(trained_only, RECIPE.parent, out=copy, say=said.append)
    assert said[-1] == "merged/answers-dequantised: unchanged, skipped"
    with pytest.raises(UsageError, match="for a test"):
        run(trained_only, RECIPE.parent, out=copy, upto=Phase.GATE)


def test_a_sweeps_table_finds_its_figures(built: Built) -> None:
    found, gate = figures(built.folder), built.records["gate"]
    losses: Any = gate.facts["losses"]
    assert found["trainable"] == 311_296
    assert found["quantised_loss"] == min(losses.values())
    total, met = found["gates_met"].split("/")
    assert total == met
    assert found["peak_bytes"] > 1 << 20
