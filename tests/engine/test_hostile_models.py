"""Damaged models through the real llama.cpp: whatever happens to the child, the parent has words for it."""

import itertools
from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.engine import ContextOptions, Engine
from medlora_edge.errors import MedloraError
from tests.engine.chats import chat
from tests.models.corpus import corrupted, valid_gguf


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr("medlora_edge.engine.client.BACK_OFF", (0.0,) * 4)
    return Engine(log=tmp_path / "engine.log")


def outcome(engine: Engine, file: Path) -> str:
    """What becomes of a file: an answer, or the sentence that a user reads."""
    try:
        engine.load(file)
        engine.open(ContextOptions(n_ctx=512, threads=1))
        engine.generate(chat("x"), max_tokens=2).result()
    except MedloraError as error:
        return error.what
    return "answered"


def test_what_the_reader_lets_through_never_takes_the_parent_down(engine: Engine, tmp_path: Path) -> None:
    file, seen, refused = tmp_path / "model.gguf", 0, 0
    with engine:
        for name, content in corrupted(seed=7):
            file.write_bytes(content)
            seen += 1
            try:
                models.inspect(file)
            except MedloraError as error:
                assert error.what, name
                refused += 1
                continue
            assert outcome(engine, file), name
        valid_gguf(file)
        assert outcome(engine, file) == "answered"
    assert seen >= 200
    assert refused >= seen // 2


def test_files_that_kill_llama_cpp_kill_only_the_child(engine: Engine, tmp_path: Path) -> None:
    """Straight past our reader: a share of these aborts llama.cpp for certain."""
    file = tmp_path / "model.gguf"
    with engine:
        outcomes = []
        for _, content in itertools.islice(corrupted(seed=11), 0, None, 6):
            file.write_bytes(content)
            outcomes.append(outcome(engine, file))
        valid_gguf(file)
        assert outcome(engine, file) == "answered"
    assert all(outcomes)
    assert "llama.cpp cannot load this model; its reason is in the engine log" in outcomes
