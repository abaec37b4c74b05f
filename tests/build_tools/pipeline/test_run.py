"""A run goes as far as it is told, and stops before its first step where the chain could never end."""

from pathlib import Path

import pytest

from build_tools.pipeline import runfolder
from build_tools.pipeline.run import Phase, run
from build_tools.recipe import load
from medlora_edge.errors import MedloraError, UsageError
from tests.build_tools.pipeline.small_recipe import write

HUGE = {"base.scratch.hidden": 65_536, "base.scratch.feed_forward": 262_144, "base.scratch.layers": 8}


def test_the_phases_are_ordered_as_the_chain_is() -> None:
    assert Phase.CARD.reaches(Phase.DATA)
    assert Phase.MERGE.reaches(Phase.MERGE)
    assert not Phase.MERGE.reaches(Phase.EXPORT)


def test_up_to_the_data_only_base_and_data_are_made(recipe_folder: Path, tmp_path: Path) -> None:
    folder = run(load(write(recipe_folder)), recipe_folder, out=tmp_path / "run", upto=Phase.DATA)
    assert set(runfolder.records(folder)) == {"base", "data/text", "data/chat"}


def test_a_model_too_large_for_this_machine_is_refused_before_anything_is_made(
    recipe_folder: Path, tmp_path: Path
) -> None:
    recipe = load(write(recipe_folder), overrides=HUGE)
    with pytest.raises(MedloraError) as refused:
        run(recipe, recipe_folder, out=tmp_path / "run")
    assert refused.value.code == 4
    assert runfolder.records(tmp_path / "run") == {}


def test_a_missing_data_file_is_named(recipe_folder: Path, tmp_path: Path) -> None:
    recipe = load(write(recipe_folder))
    (recipe_folder / "questions.jsonl").unlink()
    with pytest.raises(UsageError, match="data file is missing") as missing:
        run(recipe, recipe_folder, out=tmp_path / "run", upto=Phase.DATA)
    assert str(missing.value.where).endswith("questions.jsonl")


def test_without_out_the_folder_is_named_after_the_recipe(
    recipe_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = load(write(recipe_folder))
    folder = run(recipe, recipe_folder, upto=Phase.DATA)
    assert folder == Path("medlora-runs") / f"small-{runfolder.identity(recipe)[:8]}"
    assert folder.is_dir()


def test_the_folder_of_a_run_is_private(recipe_folder: Path, tmp_path: Path) -> None:
    folder = run(load(write(recipe_folder)), recipe_folder, out=tmp_path / "run", upto=Phase.DATA)
    assert folder.stat().st_mode & 0o777 == 0o700
