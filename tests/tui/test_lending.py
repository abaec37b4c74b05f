"""The session lets its engine go: for a lock, and for a bench that gets the machine for itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from medlora_edge.engine import Engine
from medlora_edge.errors import UsageError
from medlora_edge.history.records import TurnState
from medlora_edge.models import Model
from medlora_edge.tui.session.events import ModelFailed, ModelReady, ModelReleased, Said
from medlora_edge.tui.session.session import Session
from medlora_edge.tui.session.session_like import BusyError, LentError, SessionLike
from tests.tui.fake_session import FakeSession, Hang, Say
from tests.tui.listener import Listener
from tests.tui.turns import question, turn
from tests.tui.waiting import wait_until


@pytest.fixture(params=["real", "fake"])
def either(request: pytest.FixtureRequest, listener: Listener, model: Model) -> Iterator[SessionLike]:
    """Both sessions, the model loaded."""
    if request.param == "real":
        yield request.getfixturevalue("ready")
        return
    fake = FakeSession(listener)
    fake.load(model)
    yield fake
    fake.close()


def test_unloaded_the_engine_process_is_gone_and_the_model_loads_again(
    ready: Session, engine: Engine, model: Model, listener: Listener
) -> None:
    assert engine.pid
    ready.unload("locked")
    assert engine.pid is None
    assert listener.first(ModelReleased).why == "locked"
    with pytest.raises(UsageError, match="no model is loaded"):
        ready.fitting("ask", question("Why?"), [])
    ready.load(model)
    wait_until(lambda: len(listener.all(ModelReady)) == 2)
    ready.ask(turn(1), [])
    assert listener.end(1).state in {TurnState.DONE, TurnState.CUT}


def test_a_turn_under_way_is_interrupted_with_what_it_said(
    ready: Session, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asked = threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    ready.unload("locked")
    end = listener.end(1)
    assert (end.state, bool(end.answer)) == (TurnState.INTERRUPTED, True)
    asked.result()


def test_a_load_under_way_is_ended(
    session: Session, engine: Engine, model: Model, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    loading = threads.submit(session.load, model)
    session.unload("locked")
    loading.result()
    session.unload("locked")
    assert engine.pid is None
    assert len(listener.all(ModelReady)) + len(listener.all(ModelFailed)) <= 1


def test_lent_it_takes_no_question_and_no_model_until_it_is_back(
    either: SessionLike, model: Model, listener: Listener
) -> None:
    with either.lend():
        assert either.lent
        assert either.budget("ask", question("Why?"), []) is None
        with pytest.raises(LentError):
            either.load(model)
        with pytest.raises(LentError):
            either.ask(turn(1), [])
        with pytest.raises(LentError), either.lend():
            pass
    assert not either.lent
    wait_until(lambda: len(listener.all(ModelReleased)) == 2)
    either.load(model)
    either.ask(turn(2), [])
    assert listener.end(2).state in {TurnState.DONE, TurnState.CUT}


def test_it_comes_back_after_a_bench_that_failed(either: SessionLike) -> None:
    with pytest.raises(UsageError), either.lend():
        raise UsageError("the bench failed")
    assert not either.lent


def test_a_busy_one_is_not_lent(listener: Listener, model: Model, threads: ThreadPoolExecutor) -> None:
    fake = FakeSession(listener)
    fake.load(model)
    fake.script(Say("Sepsis"), Hang())
    threads.submit(fake.ask, turn(1), [])
    wait_until(lambda: fake.busy)
    with pytest.raises(BusyError), fake.lend():
        pass
    assert not fake.lent
    fake.close()
