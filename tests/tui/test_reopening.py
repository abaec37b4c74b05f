"""A kept chat shown again, and when it may be only read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medlora_edge import history, models
from medlora_edge.history import Store
from medlora_edge.models import Model
from medlora_edge.tui.keeping.places import Place, find, turn_of
from medlora_edge.tui.keeping.reopening import INSTEAD, Reopened, reopen
from tests.tui.apps import a_model
from tests.tui.shelves import LOADED, keep_chat


@pytest.fixture
def store() -> Iterator[Store]:
    with history.private() as opened:
        yield opened


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The one model of the catalogue: `medical`, whose hash begins with cd."""
    file = tmp_path / "model.gguf"
    file.touch()
    model = replace(a_model("medical"), path=file)
    model = replace(model, manifest=model.manifest.model_copy(update={"sha256": "cd" * 32}))
    monkeypatch.setattr(models, "installed", lambda: (models.Entry("medical", model),))
    monkeypatch.setattr(models, "shipped", lambda: (models.Entry("broken", None),))
    return model


def again(store: Store, loaded: str = "") -> Reopened:
    return reopen(store, find(store, "")[0], loaded)


def test_all_turns_come_back_and_the_place_that_was_found(store: Store) -> None:
    turn = keep_chat(store, "Sepsis", "Fluids.")
    (place,) = find(store, "fluids")
    reopened = reopen(store, place, LOADED)
    assert (reopened.chat.id, reopened.turn, reopened.why_read_only) == (turn.chat, turn.id, None)
    assert [kept.answer for kept in reopened.turns] == ["Fluids."]
    shown = turn_of(store, place)
    assert shown
    assert shown.id == turn.id


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_installed_but_not_loaded_may_go_on(store: Store) -> None:
    keep_chat(store, "Sepsis", model="medical", sha256="cd" * 32)
    assert again(store, LOADED).why_read_only is None


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_gone_or_another_file_makes_it_read_only(store: Store) -> None:
    keep_chat(store, "Sepsis", model="lost", sha256="ef" * 32)
    assert again(store, LOADED).why_read_only == f"Read only: the model lost is no longer installed. {INSTEAD}"
    keep_chat(store, "Sepsis", model="medical", sha256="ef" * 32)
    assert "medical is another file now" in str(again(store, LOADED).why_read_only)


def test_a_model_whose_file_is_gone_is_gone(store: Store, installed: Model) -> None:
    keep_chat(store, "Sepsis", model="medical", sha256="cd" * 32)
    installed.path.unlink()
    assert "no longer installed" in str(again(store).why_read_only)


def test_the_model_that_answered_last_counts(store: Store) -> None:
    turn = keep_chat(store, "Sepsis", model="lost", sha256="ef" * 32)
    store.begin(turn.chat, "ask", turn.question, model_sha256=LOADED, prompts_sha256="", model="starter")
    assert again(store, LOADED).why_read_only is None


def test_a_damaged_store_is_read_only_whatever_the_model(store: Store) -> None:
    keep_chat(store, "Sepsis")
    store.damage = "the database is damaged"
    assert again(store, LOADED).why_read_only == f"Read only: the database is damaged. {INSTEAD}"


def test_a_chat_without_turns_has_nothing_to_preview(store: Store) -> None:
    place = Place(store.new_chat("starter", LOADED))
    assert turn_of(store, place) is None
    assert again(store, LOADED).turns == ()
