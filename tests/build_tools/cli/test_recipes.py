"""The recipes that ship: each names its source, passes `check` without weights or data, and trains what it says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import build_tools
from build_tools.cli.check import _print_page as print_page
from build_tools.cli.main import app
from build_tools.pipeline.sweep_file import read_sweep
from build_tools.preflight.check import check as check_recipe
from build_tools.preflight.problem import Problem
from build_tools.recipe import load

RECIPES = Path(build_tools.__file__).parent / "recipes"
SWEEP = RECIPES / "medlms-sweep.yaml"

HERE = ("tiny", "starter")  # recipes whose data is at hand
MARKS = {"starter": pytest.mark.shared_data}

# trained weights of every stage, by hand: rank times inputs and outputs of the layers
TRAINED = {
    "medilora-described": [3_407_872] * 3,
    "medilora-as-run": [20_971_520] * 3,
    "medlms-mistral-7b": [41_943_040],
    "medlms-llama-2-7b": [39_976_960],
    "medlms-llama-3-8b": [41_943_040],
    "medlms-gemma-1.1-7b": [50_003_968],
    "medlms-distilgpt2": [1_179_648],
    "medadapt-sft": [18_464_768],
    "medadapt-completion-then-sft": [9_232_384, 18_464_768],
    "peft-medaware": [3_145_728],
    "tiny": [3_672_320, 311_296],
    "starter": [8_916_224, 466_944],
}


def checked(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    app(["check", str(RECIPES / f"{name}.yaml"), "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_every_recipe_that_ships_is_counted_here() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} - {SWEEP.stem} == set(TRAINED)


@pytest.mark.parametrize("name", [pytest.param(n, marks=MARKS.get(n, ())) for n in TRAINED])
def test_check_passes_and_counts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = checked(name, capsys)
    assert [stage["trainable"] for stage in document["stages"]] == TRAINED[name]
    assert not [problem for problem in document["problems"] if problem["severity"] == "error"]
    recipe = load(RECIPES / f"{name}.yaml", planned=True)
    assert recipe.name == name
    assert bool(document["missing"]) == (name not in HERE)


def test_falcon_shows_both_percentages_and_why_it_cannot_ship(capsys: pytest.CaptureFixture[str]) -> None:
    app(["check", str(RECIPES / "peft-medaware.yaml")], standalone_mode=False)
    page = capsys.readouterr().out
    assert "3,145,728" in page
    assert "0.2393" in page
    assert "0.4426" in page
    assert "It can be trained, not exported: llama.cpp computes Falcon with rotary positions" in page
    assert "this model has ALiBi" in page


def test_a_warning_comes_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    warning = Problem(severity="warning", what="tight", where="stage text", fix="lower batch.micro")
    recipe = load(RECIPES / "tiny.yaml")
    report = check_recipe(recipe, RECIPES)
    print_page(recipe, replace(report, problems=(warning,)), ())
    assert "warning: tight (stage text)\n  what to do: lower batch.micro\n" in capsys.readouterr().out


def test_both_readings_of_medilora_differ_in_their_modules_alone_where_the_text_is_clear() -> None:
    described, ran = (load(RECIPES / f"medilora-{name}.yaml", planned=True) for name in ("described", "as-run"))
    assert [stage.name for stage in described.stages] == [stage.name for stage in ran.stages]
    for first, second in zip(described.stages, ran.stages, strict=True):
        assert first.adapter != second.adapter
        assert (first.optimiser, first.batch, first.max_length) == (second.optimiser, second.batch, second.max_length)


def test_the_sweep_names_the_bases_of_the_five_recipes(tmp_path: Path) -> None:
    """Its combinations are checked where the data is; without it, only the missing data is complained of."""
    copied = tmp_path / "recipes"
    copied.mkdir()
    for path in [*RECIPES.glob("medlms-*.yaml")]:
        (copied / path.name).write_text(path.read_text())
    (copied / "templates").symlink_to(RECIPES / "templates")
    (tmp_path / "shapes").symlink_to(RECIPES.parent / "shapes")
    (copied / "data" / "medlms").mkdir(parents=True)
    (copied / "data" / "medlms" / "pairs.jsonl").write_text("")
    swept = read_sweep(copied / SWEEP.name)
    assert len(swept.trials) == 15
    recipes = {path.stem: load(path) for path in copied.glob("medlms-*.yaml") if path.stem != SWEEP.stem}
    for trial in swept.trials:
        assert trial.recipe.base == recipes[trial.recipe.name].base
        assert trial.recipe.stages[0].max_length == recipes[trial.recipe.name].stages[0].max_length


def test_the_tiny_data_is_small_and_whole() -> None:
    facts = [json.loads(line)["text"] for line in (RECIPES / "tiny" / "facts.jsonl").read_text().splitlines()]
    records = json.loads((RECIPES / "tiny" / "yes_no_maybe.json").read_text())
    choices = [json.loads(line) for line in (RECIPES / "tiny" / "multiple_choice.jsonl").read_text().splitlines()]
    assert len(set(facts)) == len(facts) == 60
    assert {record["final_decision"] for record in records.values()} == {"yes", "no", "maybe"}
    assert len({choice["question"] for choice in choices}) == len(choices) == 40
    assert all(choice["answer_idx"] in choice["options"] for choice in choices)
