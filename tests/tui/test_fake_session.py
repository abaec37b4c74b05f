"""The fake keeps the promises of the real session, so that UI tests believe it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.errors import CorruptError, EngineError
from medlora_edge.history.records import TurnState
from medlora_edge.models import Model
from medlora_edge.tui.session.events import (
    EngineRestarted,
    LoadingModel,
    ModelFailed,
    ModelReady,
    Prefilled,
    Queued,
    ReadingPrompt,
    Said,
    Verdict,
)
from medlora_edge.tui.session.session import Session
from medlora_edge.tui.session.session_like import BusyError, SessionLike
from tests.tui.fake_session import Crash, End, Fail, FakeSession, Gate, Hang, Label, Read, Say
from tests.tui.listener import Listener
from tests.tui.turns import answered, question, turn
from tests.tui.waiting import wait_until


@pytest.fixture
def model(tiny_gguf: Path) -> Model:
    return models.find(str(tiny_gguf))


@pytest.fixture
def fake(listener: Listener, model: Model) -> Iterator[FakeSession]:
    session = FakeSession(listener)
    session.load(model)
    yield session
    session.close()


@pytest.fixture
def threads(fake: FakeSession) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool
        fake.close()


def test_both_have_the_same_surface(fake: FakeSession, session: Session) -> None:
    both: list[SessionLike] = [fake, session]
    assert not any(one.busy for one in both)


def test_script_is_played_in_order(fake: FakeSession, listener: Listener) -> None:
    fake.script(Read(10, 20), Label("yes", {"yes": 0.9, "no": 0.1}), Say("yes. "), Say("It helps."))
    fake.ask(turn(1, name="pubmedqa"), [answered(0)])
    end = listener.end(1)
    kinds = [type(event) for event in listener.events if getattr(event, "turn", None) == 1]
    assert kinds[:3] == [Queued, ReadingPrompt, Verdict]
    assert (end.state, end.answer, end.label) == (TurnState.DONE, "yes. It helps.", "yes")
    assert end.timings
    assert fake.asked == [(turn(1, name="pubmedqa"), (answered(0),))]


def test_gate_holds_until_it_is_released(fake: FakeSession, listener: Listener, threads: ThreadPoolExecutor) -> None:
    fake.script(Say("A"), Gate("more"), Say("B"))
    threads.submit(fake.ask, turn(1), [])
    listener.first(Said)
    assert fake.busy
    with pytest.raises(BusyError):
        fake.ask(turn(2), [])
    fake.release("more")
    assert listener.end(1).answer == "AB"


def test_stop_ends_a_hang_and_keeps_the_part(
    fake: FakeSession, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    fake.script(Say("Partly"), Hang())
    asking = threads.submit(fake.ask, turn(1), [])
    listener.first(Said)
    fake.stop()
    assert (listener.end(1).state, listener.end(1).answer) == (TurnState.STOPPED, "Partly")
    asking.result(60)
    fake.ask(turn(2), [])
    assert listener.end(2).state is TurnState.DONE


def test_stop_behind_the_verdict_keeps_it(fake: FakeSession, listener: Listener, threads: ThreadPoolExecutor) -> None:
    fake.script(Label("yes", {"yes": 0.9, "no": 0.1}), Say("yes."), Hang())
    threads.submit(fake.ask, turn(1, name="pubmedqa"), [])
    listener.first(Said)
    fake.stop()
    end = listener.end(1)
    assert (end.state, end.label, end.label_probs) == (TurnState.STOPPED, "yes", {"yes": 0.9, "no": 0.1})


def test_crash_begins_the_answer_anew_and_failure_keeps_the_part(fake: FakeSession, listener: Listener) -> None:
    fake.script(Say("lost"), Crash(), Say("kept"), Fail())
    fake.ask(turn(1), [])
    end = listener.end(1)
    assert listener.first(EngineRestarted).turn == 1
    assert (end.state, end.answer) == (TurnState.FAILED, "kept")
    assert isinstance(end.error, EngineError)


def test_other_ends(fake: FakeSession, listener: Listener) -> None:
    fake.script(Say("Cut"), End(TurnState.CUT))
    fake.ask(turn(1), [])
    assert listener.end(1).state is TurnState.CUT


def test_close_interrupts(fake: FakeSession, listener: Listener, threads: ThreadPoolExecutor) -> None:
    fake.script(Say("Partly"), Hang())
    threads.submit(fake.ask, turn(1), [])
    listener.first(Said)
    fake.close()
    assert listener.end(1).state is TurnState.INTERRUPTED


def test_question_waits_for_a_load_that_can_be_stopped_or_fail(
    fake: FakeSession, model: Model, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    fake.load_steps = (0.1, Gate("loaded"), 1.0)
    listener.first(ModelReady)
    listener.events.clear()
    threads.submit(fake.load, model)
    listener.first(LoadingModel)
    threads.submit(fake.ask, turn(1), [])
    listener.first(Queued)
    fake.stop()
    assert listener.end(1).state is TurnState.STOPPED
    fake.stop()
    listener.first(ModelFailed)
    assert not listener.all(ModelReady)
    fake.cannot_load = lambda model: CorruptError("broken")
    fake.release("loaded")
    fake.load(model)
    wait_until(lambda: listener.all(ModelFailed)[1:])
    assert fake.model is None


def test_budget_counts_words_and_drops_the_oldest(fake: FakeSession, listener: Listener) -> None:
    fake.window = 100
    earlier = [answered(number, answer="word " * 10) for number in range(5)]
    budget = fake.budget("ask", question("one two"), earlier)
    assert budget
    assert (budget.used, budget.fits) == (2 + 5 * 13, False)
    assert list(fake.fitting("ask", question("one two"), earlier)) == earlier[-2:]
    fake.prefill("ask", question("one two"), [])
    assert listener.first(Prefilled).tokens == 2
    assert fake.ahead
