"""The status line after every event that a session sends."""

import typing

import pytest

from medlora_edge.errors import EngineError
from medlora_edge.history import TurnState
from medlora_edge.models import Stage
from medlora_edge.tui.chat.standing import Standing, figures, hear
from medlora_edge.tui.session.budget import Budget
from medlora_edge.tui.session.events import (
    Ended,
    EngineRestarted,
    LoadingModel,
    ModelFailed,
    ModelReady,
    ModelReleased,
    Prefilled,
    Queued,
    ReadingAhead,
    ReadingPrompt,
    Said,
    SessionEvent,
    Verdict,
)
from tests.tui.fake_session import TIMINGS

READY = Standing(model="tiny", sha256="ab", ready=True, doing="ready")
CASES: list[tuple[SessionEvent, str]] = [
    (LoadingModel("tiny", Stage.CHECKING, 0.4), "not saved \u00b7 checking 40% \u00b7 tiny"),
    (ModelReady("tiny", "cd", 4096, "UNTRAINED MODEL: no"), "not saved \u00b7 ready \u00b7 UNTRAINED \u00b7 tiny"),
    (ModelFailed("tiny", EngineError("x")), "not saved \u00b7 no model \u00b7 tiny"),
    (ModelReleased("locked"), "not saved \u00b7 locked \u00b7 tiny"),
    (Queued(1), "not saved \u00b7 waiting \u00b7 tiny"),
    (ReadingPrompt(1, 1200, 2400), "not saved \u00b7 reading prompt 1,200/2,400 \u00b7 tiny"),
    (Said(1, "text", 3), "not saved \u00b7 answering 3 \u00b7 tiny"),
    (Verdict(1, "yes", {}), "not saved \u00b7 ready \u00b7 tiny"),
    (EngineRestarted("died", 1), "not saved \u00b7 engine started again \u00b7 tiny"),
    (Ended(1, TurnState.DONE, "x", timings=TIMINGS), "not saved \u00b7 ready (10.0 tok/s, 6.0 s) \u00b7 tiny"),
    (ReadingAhead(5, 10), "not saved \u00b7 reading ahead 5/10 \u00b7 tiny"),
    (Prefilled(10), "not saved \u00b7 ready \u00b7 10 tokens read ahead \u00b7 tiny"),
]


def test_every_event_has_its_case() -> None:
    assert {type(event) for event, _ in CASES} == set(typing.get_args(SessionEvent))


@pytest.mark.parametrize(("event", "line"), CASES, ids=lambda value: type(value).__name__)
def test_line_after(event: SessionEvent, line: str) -> None:
    assert hear(READY, event, 0).left == line


@pytest.mark.parametrize("state", [TurnState.STOPPED, TurnState.CUT, TurnState.FAILED, TurnState.INTERRUPTED])
def test_end_before_its_time_is_named(state: TurnState) -> None:
    assert hear(READY, Ended(1, state, ""), 0).doing not in {"ready", READY.doing}


def test_rate_counts_what_came_after_the_first_words() -> None:
    at = hear(hear(READY, Said(1, "a", 2), 10.0), Said(1, "b", 12), 12.0)
    assert at.doing == "answering 12, 5.0 tok/s"


def test_question_that_waits_for_the_model_does_not_hide_the_load() -> None:
    at = hear(READY, LoadingModel("tiny", Stage.LOADING, 0.1), 0)
    assert hear(at, Queued(1), 0).doing == "loading 10%"


def test_context_is_shown_and_warned_about() -> None:
    assert Standing(budget=Budget(120, 4096)).right == "120/4,096 tokens"
    assert Standing(budget=Budget(3500, 4096)).right == "!3,500/4,096 tokens"
    assert Standing(budget=Budget(3500, 4096, typed=12)).right == "!~3,512/4,096 tokens"


def test_model_name_can_steer_nothing() -> None:
    assert "\x1b" not in hear(READY, LoadingModel("\x1b]0;x\x07", Stage.LOADING, 0), 0).left


def test_figures_of_a_whole_answer() -> None:
    shown = figures(TIMINGS)
    assert shown == (
        "6.0 s \u00b7 prompt 120 tokens (20 from cache) in 1.0 s \u00b7 answer 51 tokens \u00b7 10.0 tok/s"
    )
    assert figures(None) == ""


def test_figures_have_as_many_digits_as_mean_something() -> None:
    fast = TIMINGS.model_copy(update={"decode_seconds": 0.04, "prefill_seconds": 0.0123, "total_seconds": 0.06})
    shown = figures(fast)
    assert shown == "60 ms \u00b7 prompt 120 tokens (20 from cache) in 12 ms \u00b7 answer 51 tokens \u00b7 1,250 tok/s"
    assert hear(READY, Ended(1, TurnState.DONE, "x", timings=fast), 0).doing == "ready (1,250 tok/s, 60 ms)"


def test_first_token_has_no_rate_of_its_own() -> None:
    short = TIMINGS.model_copy(update={"generated_tokens": 1})
    assert "tok/s" not in figures(short)
    assert hear(READY, Ended(1, TurnState.DONE, "x", timings=short), 0).doing == "ready"


@pytest.mark.parametrize("event", [Prefilled(0), Queued(1), ModelReleased("locked")], ids=type)
def test_nothing_is_said_of_what_was_read_ahead_once_that_is_over(event: SessionEvent) -> None:
    at = hear(READY, ReadingAhead(96, 400), 0)
    assert "reading ahead" in at.left
    assert "ahead" not in hear(at, event, 0).left
