"""What is said of a model before it is chosen: its file's state, memory, adapters; every damage ends in words."""

import os
import shutil
from itertools import islice
from pathlib import Path

import pytest

from medlora_edge import models, paths
from medlora_edge.errors import CorruptError, MedloraError, ResourceError, UsageError
from medlora_edge.models import FileState, Model, Surveyed
from medlora_edge.models.units import MIB
from medlora_edge.models.words import marks
from medlora_edge.settings import EngineSettings
from tests.lora import random_pairs, write_adapter
from tests.models.corpus import by_hand, corrupted, sound_bytes, valid_gguf

SETTINGS = EngineSettings(context=300)


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return models.add(valid_gguf(tmp_path / "small.gguf"))


def only() -> Surveyed:
    (found,) = models.survey(SETTINGS)
    return found


def test_a_sound_model_says_what_it_needs_at_the_context_of_the_settings(model: Model) -> None:
    found = only()
    assert (found.entry.name, found.state, found.problem) == ("small", FileState.INTACT, None)
    assert found.memory
    assert found.memory.n_ctx == 512
    assert found.memory.weights > 0 < found.memory.kv
    assert found.memory.available > 0
    assert found.memory.total < 1024 * MIB


def test_a_file_nobody_hashed_is_not_called_intact(model: Model) -> None:
    (paths.state_dir() / "model-hashes.json").unlink()
    assert only().state is FileState.UNCHECKED
    models.verify(model)
    assert only().state is FileState.INTACT


def test_a_touched_file_has_to_be_checked_again(model: Model) -> None:
    os.utime(model.path, ns=(1, 1))
    assert only().state is FileState.UNCHECKED


def test_a_missing_file_says_how_to_get_it_back(model: Model) -> None:
    model.path.unlink()
    found = only()
    assert found.state is FileState.MISSING
    assert isinstance(found.problem, UsageError)
    assert "models remove small" in str(found.problem)


def test_a_shipped_model_that_is_missing_is_not_to_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.add(valid_gguf(tmp_path / "small.gguf"), name="starter")
    place = tmp_path / "shipped"
    shutil.move(model.path.parent, place / "starter")
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: place)
    (place / "starter" / model.path.name).unlink()
    assert "install the program again" in str(only().problem)


def test_a_truncated_file_is_changed_and_is_not_read(model: Model) -> None:
    model.path.write_bytes(model.path.read_bytes()[:-1000])
    found = only()
    assert found.state is FileState.CHANGED
    assert isinstance(found.problem, CorruptError)
    assert "bytes, not the" in str(found.problem)


def test_what_is_wrong_with_a_file_is_marked_wherever_models_are_listed(model: Model) -> None:
    assert marks(model) == ("untrained",)
    model.path.write_bytes(model.path.read_bytes()[:-1000])
    assert marks(model) == ("untrained", "file is changed")
    model.path.unlink()
    assert marks(model) == ("untrained", "file is missing")


def test_a_change_of_the_same_size_is_seen_once_it_was_hashed(model: Model) -> None:
    content = model.path.read_bytes()
    model.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(model.path, ns=(1, 1))
    assert only().state is FileState.UNCHECKED
    with pytest.raises(CorruptError):
        models.verify(model)
    found = only()
    assert found.state is FileState.CHANGED
    assert "SHA-256" in str(found.problem)


def test_a_folder_in_the_files_place_is_missing_and_says_so(model: Model) -> None:
    model.path.unlink()
    model.path.mkdir()
    found = only()
    assert found.state is FileState.MISSING
    assert "folder" in str(found.problem)


def test_a_broken_manifest_hides_no_other_model(model: Model) -> None:
    broken = paths.models_dir() / "broken"
    broken.mkdir()
    bad, good = models.survey(SETTINGS)
    assert (bad.entry.name, bad.state) == ("broken", None)
    assert isinstance(bad.problem, CorruptError)
    assert good.problem is None


def test_every_kind_of_damage_is_a_problem_in_words(model: Model) -> None:
    """The manifest agrees with the file, so that its header really is read."""
    sound = sound_bytes()
    cases = [(name, damaged) for name, damaged, _ in by_hand(sound)]
    for name, damaged in [*cases, *islice(corrupted(seed=7, sound=sound), len(cases), len(cases) + 40)]:
        manifest = model.manifest.model_copy(update={"size_bytes": len(damaged)})
        model.path.write_bytes(damaged)
        entry = models.Entry(model.name, Model(model.name, model.path, manifest))
        found = models.look_at(entry, SETTINGS)
        if name in dict(cases):
            assert found.problem, name
        if found.problem:
            assert found.problem.what
            assert found.memory is None


def test_adapters_beside_a_model_are_found_and_checked(model: Model) -> None:
    folder = model.path.parent
    write_adapter(folder / "good.gguf", random_pairs(model.path, ["blk.0.attn_q.weight"]))
    shutil.copy(model.path, folder / "model-not-adapter.gguf")
    good, bad = only().adapters
    assert (good.path.name, good.problem) == ("good.gguf", None)
    assert isinstance(bad.problem, UsageError)


def test_an_unreadable_catalogue_is_an_error_in_words(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ResourceError, match="Permission denied"):
        models.survey(SETTINGS)


def test_a_model_that_vanishes_while_it_is_looked_at_is_a_problem(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = models.installed()[0]
    shutil.rmtree(model.path.parent)
    found = models.look_at(entry, SETTINGS)
    assert isinstance(found.problem, MedloraError)
    assert found.state is FileState.MISSING
