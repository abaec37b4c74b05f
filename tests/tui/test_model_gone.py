"""The model's file removed or replaced behind a chat: no answer whose model could not be named."""

import os
from pathlib import Path
from typing import Any

import pytest

from medlora_edge import models
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.history import TurnState
from medlora_edge.models import Model, hashing
from medlora_edge.tui.session.events import Ended
from medlora_edge.tui.session.session import Session
from tests.models.corpus import valid_gguf
from tests.tui.listener import Listener
from tests.tui.turns import turn


@pytest.fixture
def model(tiny_gguf: Path, tmp_path: Path) -> Model:
    """A copy that may be spoiled."""
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(tiny_gguf.read_bytes())
    return models.find(str(copy))


def end(ready: Session, listener: Listener) -> Ended:
    ready.ask(turn(1), ())
    return listener.end(1)


def test_the_file_it_was_loaded_from_answers(ready: Session, listener: Listener) -> None:
    assert end(ready, listener).error is None


def test_a_removed_file_is_refused_and_named(ready: Session, model: Model, listener: Listener) -> None:
    model.path.unlink()
    ended = end(ready, listener)
    assert ended.state is TurnState.FAILED
    assert isinstance(ended.error, UsageError)
    assert str(model.path) in str(ended.error)


def test_another_file_in_its_place_is_refused(ready: Session, model: Model, listener: Listener, tmp_path: Path) -> None:
    valid_gguf(tmp_path / "other.gguf").replace(model.path)
    assert isinstance(end(ready, listener).error, CorruptError)


def test_a_file_that_was_only_touched_is_hashed_and_answers(ready: Session, model: Model, listener: Listener) -> None:
    os.utime(model.path, ns=(1, 1))
    assert end(ready, listener).error is None


def test_the_check_before_an_answer_can_be_stopped(
    ready: Session, model: Model, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(model.path, ns=(1, 1))
    monkeypatch.setattr("medlora_edge.models.hashing.CHUNK", 1 << 14)
    hashed = hashing._hash

    def stopping(*arguments: Any) -> str:
        ready.stop()
        return hashed(*arguments)

    monkeypatch.setattr("medlora_edge.models.hashing._hash", stopping)
    assert end(ready, listener).state is TurnState.STOPPED
