"""A session over the real engine with the tiny model, threads for what blocks, and a pilot that waits to the end."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from textual.pilot import Pilot

from medlora_edge import models
from medlora_edge.engine import Engine
from medlora_edge.engine.child import Patience
from medlora_edge.engine.client import GIVE_UP
from medlora_edge.models import Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.session.session import Session
from tests.tui.listener import Listener
from tests.tui.waiting import PATIENCE_SECONDS

ROUNDS = 10  # of messages that cause messages


@pytest.fixture(autouse=True)
def _patient_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual takes a process without processor time for idle: on a busy machine keys would not have arrived yet."""
    wait = Pilot._wait_for_screen

    async def patient(pilot: Pilot[None], timeout: float = PATIENCE_SECONDS) -> bool:
        await _others_first()
        done = await wait(pilot, max(timeout, PATIENCE_SECONDS))
        await _others_first()
        return done

    monkeypatch.setattr(Pilot, "_wait_for_screen", patient)


async def _others_first() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def model(tiny_gguf: Path) -> Model:
    return models.find(str(tiny_gguf))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that is started again at once."""
    monkeypatch.setattr("medlora_edge.engine.client.BACK_OFF", (0.0,) * GIVE_UP)
    return Engine(log=tmp_path / "engine.log", patience=Patience(silence=30, batch=60, check=0.1))


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
