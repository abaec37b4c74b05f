"""The model page's work without a page: checking with progress, and what a row has become."""

import os
from pathlib import Path

import pytest

from medlora_edge import models, paths
from medlora_edge.errors import UsageError
from medlora_edge.models import Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.about_models import choosing
from medlora_edge.tui.about_models.model_rows import InUse, Row
from tests.models.corpus import valid_gguf

SETTINGS = EngineSettings()


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Read in small pieces."""
    monkeypatch.setattr("medlora_edge.models.hashing.CHUNK", 1 << 14)
    return models.add(valid_gguf(tmp_path / "m.gguf"))


def test_check_tells_every_step_and_the_end(model: Model) -> None:
    said: list[str] = []
    choosing.check(model, said.append, lambda: False)
    steps = [int(words.split("%")[0].split()[-1]) for words in said[:-1]]
    assert steps == sorted(set(steps))
    assert steps[-1] == 100
    assert said[-1] == "m is the file that was installed."


def test_check_stops_at_the_next_piece_and_says_nothing_more(model: Model) -> None:
    said: list[str] = []
    choosing.check(model, said.append, lambda: len(said) == 2)
    assert len(said) == 2


def test_check_says_what_has_changed(model: Model) -> None:
    content = model.path.read_bytes()
    model.path.write_bytes(content[:-1] + b"\x01")
    os.utime(model.path, ns=(1, 1))
    said: list[str] = []
    choosing.check(model, said.append, lambda: False)
    assert "no longer the file that was installed" in said[-1]


def test_a_broken_choice_of_the_default_hides_no_model(model: Model) -> None:
    def row() -> Row:
        return next(row for row in choosing.listed(SETTINGS, InUse()) if row.model == model)

    (paths.models_dir() / ".default").write_bytes(b"\xff\xfe")
    assert not row().default
    models.set_default(model.name)
    assert row().default


def test_what_vanished_cannot_be_taken(model: Model) -> None:
    now = InUse(model)
    before = choosing.listed(SETTINGS, InUse())
    models.remove(model.name)
    with pytest.raises(UsageError, match="no longer installed"):
        choosing.take(choosing.listed(SETTINGS, InUse()), before[0])
    with pytest.raises(UsageError, match="is gone"):  # listed still, for it is in use
        choosing.take(choosing.listed(SETTINGS, now), before[0])
