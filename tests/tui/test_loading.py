"""A model on its way into memory: progress, stop in each part of it, questions that wait for it, what goes wrong."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from medlora_edge import paths
from medlora_edge.engine import Engine
from medlora_edge.errors import CorruptError, ResourceError, StoppedError, UsageError
from medlora_edge.history.records import TurnState
from medlora_edge.models import Model, Stage
from medlora_edge.tui.session.events import LoadingModel, ModelFailed, ModelReady, Queued, SessionEvent
from medlora_edge.tui.session.session import Session
from tests.tui.listener import Listener
from tests.tui.turns import turn
from tests.tui.waiting import wait_until


@pytest.fixture
def unhashed(model: Model, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model whose hash nobody remembers, read in small pieces."""
    (paths.state_dir() / "model-hashes.json").unlink()
    monkeypatch.setattr("medlora_edge.models.hashing.CHUNK", 1 << 14)
    return model


@pytest.fixture
def stuck(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Event:
    """The engine stands still as soon as it is to load; set once it does, and once more after it is cleared."""
    reached, load = Event(), engine.load
    assert engine.ready

    def standing(*args: object, **options: object) -> object:
        if not reached.is_set():
            strike(engine, signal.SIGSTOP)
            reached.set()
        return load(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "load", standing)
    return reached


def strike(engine: Engine, number: signal.Signals) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, number)


def test_both_stages_are_told_with_rising_fractions(session: Session, unhashed: Model, listener: Listener) -> None:
    session.load(unhashed)
    listener.first(ModelReady)
    for stage in Stage:
        told = [event.fraction for event in listener.all(LoadingModel) if event.stage is stage]
        assert told == sorted(told)
        assert told[-1] == 1.0
    assert isinstance(listener.events[-1], ModelReady)


def test_stop_while_the_file_is_checked(
    session: Session, unhashed: Model, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = session._mailbox.put

    def stop_at_once(event: SessionEvent) -> None:
        put(event)
        if isinstance(event, LoadingModel):
            session.stop()

    monkeypatch.setattr(session._mailbox, "put", stop_at_once)
    session.load(unhashed)
    assert isinstance(listener.first(ModelFailed).error, StoppedError)
    assert len(listener.all(LoadingModel)) == 1
    monkeypatch.setattr(session._mailbox, "put", put)
    session.load(unhashed)
    listener.first(ModelReady)


def test_stop_while_the_weights_are_read(
    session: Session, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    loading = threads.submit(session.load, model)
    stuck.wait()
    session.stop()
    assert isinstance(listener.first(ModelFailed).error, StoppedError)
    loading.result(60)
    assert not listener.all(ModelReady)
    session.load(model)
    listener.first(ModelReady)


def test_stopped_load_never_takes_the_next_one_with_it(
    session: Session, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    for number in range(1, 6):
        stuck.clear()
        threads.submit(session.load, model)
        stuck.wait()
        session.stop()
        session.load(model)
        wait_until(lambda: len(listener.all(ModelReady)) == number)  # noqa: B023


def test_last_chosen_model_wins(
    session: Session, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    first = threads.submit(session.load, model)
    stuck.wait()
    session.load(replace(model, name="second"))
    first.result(60)
    assert listener.first(ModelReady).name == "second"
    assert listener.first(ModelFailed).name == model.name


def test_question_waits_for_the_model(
    session: Session, engine: Engine, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    threads.submit(session.load, model)
    stuck.wait()
    threads.submit(session.ask, turn(1), [])
    listener.first(Queued)
    assert session.busy
    strike(engine, signal.SIGCONT)
    assert listener.end(1).state in {TurnState.DONE, TurnState.CUT}


def test_stop_ends_the_waiting_question_first_and_then_the_load(
    session: Session, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    threads.submit(session.load, model)
    stuck.wait()
    asking = threads.submit(session.ask, turn(1), [])
    listener.first(Queued)
    session.stop()
    assert listener.end(1).state is TurnState.STOPPED
    asking.result(60)
    assert not listener.all(ModelFailed)
    session.stop()
    listener.first(ModelFailed)


def test_question_fails_with_the_load_it_waits_for(
    session: Session, engine: Engine, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    threads.submit(session.load, model)
    stuck.wait()
    threads.submit(session.ask, turn(1), [])
    listener.first(Queued)
    engine.cancel_load()
    end = listener.end(1)
    assert end.state is TurnState.FAILED
    assert "no model is loaded" in str(end.error)


def test_changed_file_is_refused_and_questions_say_so(
    session: Session, model: Model, listener: Listener, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.gguf"
    content = bytearray(model.path.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    session.load(replace(model, path=changed))
    assert isinstance(listener.first(ModelFailed).error, CorruptError)
    session.ask(turn(1), [])
    assert isinstance(listener.end(1).error, UsageError)
    assert session.budget("ask", turn(1).question, []) is None


def test_file_that_is_gone_is_an_event_too(session: Session, model: Model, listener: Listener, tmp_path: Path) -> None:
    session.load(replace(model, path=tmp_path / "gone.gguf"))
    assert isinstance(listener.first(ModelFailed).error, UsageError)


def test_model_that_does_not_fit_is_refused_with_numbers(
    session: Session, model: Model, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medlora_edge.models.opening.available_memory", lambda: 1 << 20)
    session.load(model)
    error = listener.first(ModelFailed).error
    assert isinstance(error, ResourceError)
    assert "are needed" in str(error)


def test_switch_keeps_answering(session: Session, model: Model, listener: Listener) -> None:
    session.load(model)
    session.load(replace(model, name="second"))
    wait_until(lambda: [event.name for event in listener.all(ModelReady)] == [model.name, "second"])
    session.ask(turn(1), [])
    assert listener.end(1).state in {TurnState.DONE, TurnState.CUT}


def test_close_ends_a_load(
    session: Session, engine: Engine, model: Model, listener: Listener, threads: ThreadPoolExecutor, stuck: Event
) -> None:
    loading = threads.submit(session.load, model)
    stuck.wait()
    session.close()
    listener.first(ModelFailed)
    loading.result(60)
    assert engine.pid is None
