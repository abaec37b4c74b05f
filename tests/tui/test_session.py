"""Questions through the real engine: what is said, stopped, kept, refused and started again."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from medlora_edge.engine import Engine
from medlora_edge.errors import EngineError, UsageError
from medlora_edge.history.records import TaskName, TurnState
from medlora_edge.models import Model
from medlora_edge.tui.session import conversation
from medlora_edge.tui.session.events import (
    Ended,
    EngineRestarted,
    ModelReady,
    Queued,
    ReadingPrompt,
    Said,
    Verdict,
)
from medlora_edge.tui.session.session import Session
from medlora_edge.tui.session.session_like import BusyError
from tests.tui.listener import Listener
from tests.tui.turns import answered, question, turn
from tests.tui.waiting import wait_until

LONG = "What is known about sepsis in adults and in children? " * 100


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of seconds: there is time to interrupt it on a busy machine too."""
    monkeypatch.setattr("medlora_edge.tui.session.budget.LONGEST_ANSWER", 3500)


def strike(engine: Engine, number: signal.Signals) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, number)


# --- answers ----------------------------------------------------------------------------------------------


def test_open_question_is_queued_read_said_and_ended(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1), [])
    end = listener.end(1)
    kinds = [type(event) for event in listener.events if getattr(event, "turn", None) == 1]
    assert kinds[:2] == [Queued, ReadingPrompt]
    assert kinds[-1] is Ended
    assert end.state in {TurnState.DONE, TurnState.CUT}
    assert end.answer.startswith("".join(said.text for said in listener.all(Said)))
    assert listener.all(Said)[-1].tokens == end.timings.generated_tokens if end.timings else False
    assert not ready.busy


def test_prompt_progress_has_the_numbers_of_the_budget(ready: Session, listener: Listener) -> None:
    budget = ready.budget("ask", question(LONG), [])
    ready.ask(turn(1, LONG), [])
    listener.end(1)
    readings = listener.all(ReadingPrompt)
    assert budget
    assert readings[0] == ReadingPrompt(1, 0, budget.used)
    assert len(readings) > 1
    assert all(one.done < other.done <= other.total == budget.used for one, other in pairwise(readings))


@pytest.mark.parametrize("name", ["pubmedqa", "multiple_choice"])
def test_verdict_with_its_probabilities_comes_before_the_answer_which_begins_with_it(
    ready: Session, listener: Listener, name: TaskName
) -> None:
    asked = turn(1, name=name)
    ready.ask(asked, [])
    end = listener.end(1)
    order = [type(event) for event in listener.events]
    assert order.index(Verdict) < order.index(Said)
    (verdict,) = listener.all(Verdict)
    assert verdict.label == max(verdict.probs, key=lambda label: verdict.probs[label])
    assert end.answer.startswith(f"({verdict.label})" if name == "multiple_choice" else f"{verdict.label}.")
    assert list(verdict.probs) == list(asked.question.options or ("yes", "no", "maybe"))
    assert sum(verdict.probs.values()) == pytest.approx(1)
    assert (end.label, end.label_probs) == (verdict.label, verdict.probs)


def test_verdict_and_answer_share_the_prompt_and_are_told_as_one(
    ready: Session, engine: Engine, listener: Listener
) -> None:
    ready.ask(turn(1, LONG, name="pubmedqa"), [])
    end = listener.end(1)
    assert end.timings
    assert engine.stats().computed_prompt_tokens - end.timings.prompt_tokens < 10
    assert end.timings.cached_tokens < end.timings.prompt_tokens / 2
    assert end.timings.total_seconds > end.timings.prefill_seconds + end.timings.decode_seconds


def test_near_tie_is_no_verdict_and_the_answer_is_written_freely(
    ready: Session, engine: Engine, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medlora_edge.tui.session.verdict.NEAR_TIE_NATS", 1e9)
    ready.ask(turn(1, name="pubmedqa"), [])
    end = listener.end(1)
    assert end.label is None
    assert list(end.label_probs) == ["yes", "no", "maybe"]
    assert not end.answer.startswith(("yes.", "no.", "maybe."))
    assert listener.first(Said).tokens > 0


def test_retry_of_a_question_with_labels_has_the_same_verdict(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1, name="pubmedqa"), [])
    ready.ask(turn(2, name="pubmedqa", retry_of=1), [])
    first, second = listener.end(1), listener.end(2)
    assert second.label == first.label
    assert second.label_probs == pytest.approx(first.label_probs)
    assert first.answer != second.answer


def test_open_question_has_no_verdict(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1), [])
    assert listener.end(1).label is None
    assert not listener.all(Verdict)


def test_question_without_its_parts_fails_with_what_is_missing(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1, name="pubmedqa", question=question("Does it help?")), [])
    end = listener.end(1)
    assert end.state is TurnState.FAILED
    assert isinstance(end.error, UsageError)
    assert "context" in str(end.error)


def test_second_question_computes_its_new_tokens_only(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1, LONG), [])
    first = listener.end(1)
    ready.ask(turn(2, "And in children?"), [answered(1, LONG, first.answer)])
    second = listener.end(2)
    assert first.timings
    assert second.timings
    assert second.timings.cached_tokens >= first.timings.prompt_tokens


def test_retry_costs_no_prefill_and_says_something_else(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1, LONG), [])
    ready.ask(turn(2, LONG, retry_of=1), [])
    first, second = listener.end(1), listener.end(2)
    assert second.timings
    assert second.timings.prompt_tokens - second.timings.cached_tokens == 1
    assert first.answer != second.answer


# --- the context's limit ----------------------------------------------------------------------------------


def test_question_that_does_not_fit_is_refused_with_numbers_and_nothing_is_cut(
    ready: Session, listener: Listener
) -> None:
    budget = ready.budget("ask", question("word " * 9000), [])
    assert budget
    assert not budget.fits
    ready.ask(turn(1, "word " * 9000), [])
    end = listener.end(1)
    assert end.state is TurnState.FAILED
    assert f"{budget.used:,}" in str(end.error)
    assert not listener.all(ReadingPrompt)


def test_fitting_leaves_out_the_oldest_only_and_no_more_than_needed(ready: Session) -> None:
    earlier = [answered(number, answer="word " * 600) for number in range(1, 6)]
    asked = question("And now?")
    kept = ready.fitting("ask", asked, earlier)
    assert list(kept) == earlier[-len(kept) :]
    assert 0 < len(kept) < 5
    one_more = ready.budget("ask", asked, earlier[-len(kept) - 1 :])
    assert one_more
    assert not one_more.fits
    assert ready.fitting("ask", asked, earlier[:1]) == earlier[:1]
    assert ready.fitting("ask", question("word " * 9000), earlier) == ()


def test_answer_that_has_used_its_room_is_marked_cut(
    ready: Session, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medlora_edge.tui.session.budget.LONGEST_ANSWER", 80)
    ready.ask(turn(1), [])
    end = listener.end(1)
    assert end.timings
    assert (end.state, end.timings.generated_tokens) == (TurnState.CUT, 80)


# --- stop -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("endless")
def test_stop_while_decoding_keeps_what_was_seen(
    ready: Session, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    ready.stop()
    assert not ready.busy
    end = listener.end(1)
    assert end.state is TurnState.STOPPED
    assert end.answer == "".join(said.text for said in listener.all(Said)) != ""
    asking.result(60)
    assert listener.events[-1] is end
    works(ready, listener)


def test_stop_while_the_prompt_is_read(ready: Session, listener: Listener, threads: ThreadPoolExecutor) -> None:
    asking = threads.submit(ready.ask, turn(1, LONG * 2), [])
    listener.first(ReadingPrompt)
    ready.stop()
    assert (listener.end(1).state, listener.end(1).answer) == (TurnState.STOPPED, "")
    asking.result(60)
    assert not listener.all(Said)
    works(ready, listener)


def test_stop_while_the_labels_are_weighed_is_seen_at_once(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = engine.score

    def hang(*args: object, **options: object) -> object:
        strike(engine, signal.SIGSTOP)
        return score(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "score", hang)
    asking = threads.submit(ready.ask, turn(1, name="pubmedqa"), [])
    listener.first(ReadingPrompt)
    ready.stop()
    end = listener.end(1)
    assert (end.state, end.answer, end.label) == (TurnState.STOPPED, "", None)
    strike(engine, signal.SIGKILL)
    asking.result(60)
    assert not listener.all(Verdict)
    works(ready, listener)


@pytest.mark.usefixtures("endless")
def test_stop_behind_the_verdict_keeps_it(ready: Session, listener: Listener, threads: ThreadPoolExecutor) -> None:
    asking = threads.submit(ready.ask, turn(1, name="pubmedqa"), [])
    verdict = listener.first(Verdict)
    ready.stop()
    end = listener.end(1)
    assert (end.state, end.label, end.label_probs) == (TurnState.STOPPED, verdict.label, verdict.probs)
    asking.result(60)


def test_engine_that_dies_while_the_labels_are_weighed_weighs_them_again(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1, LONG, name="pubmedqa"), [])
    wait_until(lambda: listener.all(ReadingPrompt)[1:])
    strike(engine, signal.SIGKILL)
    asking.result(60)
    end = listener.end(1)
    assert listener.first(EngineRestarted).turn == 1
    assert len(listener.all(Verdict)) == 1
    assert end.answer.startswith(f"{end.label}.")


@pytest.mark.usefixtures("endless")
def test_stop_of_an_engine_that_hangs_is_seen_at_once(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    strike(engine, signal.SIGSTOP)
    ready.stop()
    assert not asking.done()
    assert listener.end(1).state is TurnState.STOPPED
    strike(engine, signal.SIGKILL)
    works(ready, listener)
    asking.result(60)


def test_stop_with_nothing_under_way_does_nothing(ready: Session, listener: Listener) -> None:
    ready.stop()
    works(ready, listener)


@pytest.mark.usefixtures("endless")
def test_stopped_question_and_the_next_never_mix(
    ready: Session, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    for number in range(1, 6):
        threads.submit(ready.ask, turn(number), [])
        wait_until(lambda: listener.all(Said)[-1:] and listener.all(Said)[-1].turn == number)  # noqa: B023
        ready.stop()
    for number in range(1, 6):
        end = listener.end(number)
        assert end.answer == "".join(said.text for said in listener.all(Said) if said.turn == number)


def works(session: Session, listener: Listener) -> None:
    """It answers the next question, whatever came before."""
    session.ask(turn(99, "Still there?"), [])
    assert listener.end(99).state in {TurnState.DONE, TurnState.CUT}


# --- one at a time ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("endless")
def test_only_one_of_many_questions_at_once_is_taken(
    ready: Session, listener: Listener, threads: ThreadPoolExecutor, model: Model
) -> None:
    threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    refused = [threads.submit(ready.ask, turn(number), []) for number in range(2, 12)]
    assert all(isinstance(one.exception(60), BusyError) for one in refused)
    with pytest.raises(BusyError):
        ready.load(model)
    ready.stop()
    assert listener.end(1)
    assert {event.turn for event in listener.all(Queued)} == {1}


# --- deaths -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("endless")
def test_engine_that_dies_once_answers_after_all(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    strike(engine, signal.SIGKILL)
    restarted = listener.first(EngineRestarted)
    asking.result(60)
    end = listener.end(1)
    assert restarted.turn == 1
    assert "SIGKILL" in restarted.why
    assert end.state in {TurnState.DONE, TurnState.CUT}
    again = listener.events[listener.events.index(restarted) :]
    assert end.answer.startswith("".join(event.text for event in again if isinstance(event, Said)))


@pytest.mark.usefixtures("endless")
def test_engine_that_dies_twice_fails_the_turn_and_keeps_the_longer_part(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1), [])
    wait_until(lambda: sum(len(said.text) for said in listener.all(Said)) > 20)
    strike(engine, signal.SIGKILL)
    listener.first(EngineRestarted)
    said = "".join(event.text for event in listener.all(Said))
    wait_until(lambda: engine.pid)
    strike(engine, signal.SIGKILL)
    asking.result(60)
    end = listener.end(1)
    assert end.state is TurnState.FAILED
    assert isinstance(end.error, EngineError)
    assert len(end.answer) >= 20
    assert said
    works(ready, listener)


@pytest.mark.usefixtures("endless")
def test_close_interrupts_the_turn_and_ends_the_process(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    asking = threads.submit(ready.ask, turn(1), [])
    listener.first(Said)
    ready.close()
    end = listener.end(1)
    assert end.state is TurnState.INTERRUPTED
    assert end.answer
    asking.result(60)
    assert engine.pid is None


# --- the rest ---------------------------------------------------------------------------------------------


def test_budget_counts_the_turns_before(ready: Session) -> None:
    alone = ready.budget("ask", question("And now?"), [])
    longer = ready.budget("ask", question("And now?"), [answered(1)])
    assert alone
    assert longer
    assert longer.used > alone.used
    assert alone.window == 4096


def test_model_says_what_it_is(ready: Session, listener: Listener, model: Model) -> None:
    said = listener.first(ModelReady)
    assert (said.name, said.sha256, said.n_ctx) == (model.name, model.manifest.sha256, 4096)
    assert said.warning
    assert "UNTRAINED" in said.warning


def test_context_of_a_chat_is_what_conversation_says(ready: Session, listener: Listener) -> None:
    turns = [answered(1), turn(2, state=TurnState.STOPPED, answer="An")]
    ready.ask(turn(3), conversation.in_context(turns))
    end = listener.end(3)
    budget = ready.budget("ask", question("What is sepsis?"), turns[:1])
    assert end.timings
    assert budget
    assert end.timings.prompt_tokens == budget.used
