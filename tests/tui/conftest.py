"""A session over the real engine with the tiny model, and threads for what blocks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.engine import Engine
from medlora_edge.engine.child import Patience
from medlora_edge.engine.client import GIVE_UP
from medlora_edge.models import Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.session.session import Session
from tests.tui.listener import Listener


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def model(tiny_gguf: Path) -> Model:
    return models.find(str(tiny_gguf))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose death and silence are noticed soon."""
    monkeypatch.setattr("medlora_edge.engine.client.BACK_OFF", (0.0,) * GIVE_UP)
    return Engine(log=tmp_path / "engine.log", patience=Patience(silence=2, batch=30, check=0.1))


@pytest.fixture
def session(engine: Engine, listener: Listener) -> Iterator[Session]:
    """Nothing is loaded yet."""
    opened = Session(listener, settings=EngineSettings(context=4096, threads=1), engine=engine)
    yield opened
    opened.close()


@pytest.fixture
def ready(session: Session, model: Model) -> Session:
    """The tiny model is loaded."""
    session.load(model)
    return session


@pytest.fixture
def threads(session: Session) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool
        session.close()  # whatever a failed test left waiting ends
