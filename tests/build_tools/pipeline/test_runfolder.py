"""A run folder is found again by its recipe, holds one run, and is held by one process."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from build_tools.pipeline import runfolder
from medlora_edge.errors import InUseError, ResourceError, UsageError
from tests.build_tools.pipeline import hand_made


def test_one_process_at_a_time_holds_a_run(tmp_path: Path, recipe_folder: Path) -> None:
    with runfolder.hold(tmp_path / "run", hand_made.recipe(), recipe_folder), pytest.raises(InUseError) as held:
        hand_made.run(tmp_path / "run", recipe_folder)
    assert held.value.code == 8


def test_a_folder_of_another_run_or_of_something_else_is_refused(tmp_path: Path, recipe_folder: Path) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    other = hand_made.recipe(rank=8)
    with pytest.raises(UsageError, match="another run"), runfolder.hold(tmp_path / "run", other, recipe_folder):
        pass
    with pytest.raises(UsageError, match="something else"), runfolder.hold(recipe_folder, other, recipe_folder):
        pass
    assert runfolder.default_folder(other).name.startswith("hand-made-")
    assert runfolder.default_folder(other) != runfolder.default_folder(hand_made.recipe())


def test_a_place_that_cannot_be_written_is_named_with_the_option(tmp_path: Path, recipe_folder: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "run"
    with pytest.raises(ResourceError, match="cannot write") as refused, _hold(place, recipe_folder):
        pass
    assert refused.value.where == str(place)
    assert "--out" in str(refused.value)


def _hold(place: Path, recipe_folder: Path) -> AbstractContextManager[None]:
    return runfolder.hold(place, hand_made.recipe(), recipe_folder)


def test_a_gate_may_be_moved_without_training_anew(recipe_folder: Path) -> None:
    spec = hand_made.recipe()
    looser = spec.model_copy(update={"gates": spec.gates.model_copy(update={"merge": None})})
    assert runfolder.identity(looser) == runfolder.identity(spec)
