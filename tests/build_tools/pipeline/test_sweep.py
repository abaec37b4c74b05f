"""A sweep does each combination once, goes on after a failure, and only does the rest when it is started again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from build_tools.pipeline import run
from build_tools.pipeline.sweep import sweep
from build_tools.pipeline.sweep_file import read_sweep
from medlora_edge.errors import InUseError, ResourceError
from medlora_edge.files import exclusive
from tests.build_tools.pipeline.small_recipe import sweep_file

LENGTH = "stages.1.max_length"
TEXT = f"upto: data\ngrid: {{{LENGTH}: [400, 16, 380]}}\n"  # no answer fits into 16 tokens


def table(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "table.json").read_text())
    return rows


def test_one_failure_does_not_stop_the_others(recipe_folder: Path, tmp_path: Path) -> None:
    path, said = sweep_file(recipe_folder, TEXT), list[str]()
    folder = sweep(path, tmp_path / "sweep", say=said.append)
    rows = table(folder)
    assert [(row[LENGTH], row["status"]) for row in rows] == [(400, "done"), (16, "failed"), (380, "done")]
    assert "longer than max_length" in rows[1]["error"]
    assert [row["id"] for row in rows] == [trial.id for trial in read_sweep(path).trials]
    with (folder / "table.csv").open(newline="") as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["done", "failed", "done"]
    assert (folder / "table.md").read_text().count("| failed |") == 1
    again = list[str]()
    sweep(path, folder, say=again.append)
    assert len(again) == 3
    assert all("before, skipped" in line for line in again)


def test_stopped_in_the_middle_it_does_only_the_rest(
    recipe_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, begun = sweep_file(recipe_folder, TEXT), run.run, list[str]()

    def interrupted(recipe: Any, *rest: Any, **options: Any) -> Path:
        begun.append(options["out"].name)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(recipe, *rest, **options)

    monkeypatch.setattr("build_tools.pipeline.sweep.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(path, tmp_path / "sweep")
    assert len(table(tmp_path / "sweep")) == 2
    sweep(path, tmp_path / "sweep")
    assert [row["status"] for row in table(tmp_path / "sweep")] == ["done", "failed", "done"]
    assert begun[2:] == [begun[2]] * 2, "a trial that was done was run again"


def test_what_went_less_far_is_no_result(recipe_folder: Path, tmp_path: Path) -> None:
    sweep(sweep_file(recipe_folder, "upto: data\n"), tmp_path / "sweep")
    said = list[str]()
    further = sweep_file(recipe_folder, "upto: train\n")
    sweep(further, tmp_path / "sweep", say=said.append)
    assert any(line.startswith("train/chat: done") for line in said)
    assert table(tmp_path / "sweep")[0]["trainable"] > 0


def test_a_longer_sweep_takes_over_what_a_shorter_one_did(recipe_folder: Path, tmp_path: Path) -> None:
    sweep(sweep_file(recipe_folder, f"upto: data\ngrid: {{{LENGTH}: [400]}}\n"), tmp_path / "sweep")
    said = list[str]()
    longer = sweep_file(recipe_folder, f"upto: data\ngrid: {{{LENGTH}: [380, 400]}}\n")
    sweep(longer, tmp_path / "sweep", say=said.append)
    assert [line for line in said if "before, skipped" in line and "=400" in line]
    assert [row[LENGTH] for row in table(tmp_path / "sweep")] == [380, 400]


@pytest.mark.parametrize("error", [ResourceError("the disk is full"), ValueError("what no one expected")])
def test_what_the_machine_did_is_tried_again(
    recipe_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = sweep_file(recipe_folder, f"upto: data\ngrid: {{{LENGTH}: [400]}}\n")

    def failing(*_: Any, **__: Any) -> Path:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("build_tools.pipeline.sweep.run", failing)
        sweep(path, tmp_path / "sweep")
    assert str(error) in table(tmp_path / "sweep")[0]["error"]
    sweep(path, tmp_path / "sweep")
    assert table(tmp_path / "sweep")[0]["status"] == "done"


def test_one_process_at_a_time_holds_a_sweep(recipe_folder: Path, tmp_path: Path) -> None:
    path = sweep_file(recipe_folder, "upto: data\n")
    lock = tmp_path / "sweep" / "results" / ".lock"
    lock.parent.mkdir(parents=True)
    with exclusive(lock, what="it"), pytest.raises(InUseError, match="sweep folder"):
        sweep(path, tmp_path / "sweep")
