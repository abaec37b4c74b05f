"""Turns as data: variants, what is said of each, and which stretch of them is mounted."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.errors import EngineError
from medlora_edge.history import TurnState
from medlora_edge.tui.chat.chatlog import ChatLog, heard, unfinished
from medlora_edge.tui.chat.window import MOST, WINDOW, Window, around
from medlora_edge.tui.session.events import Ended, EngineRestarted, LoadingModel, Said, Verdict
from tests.tui.fake_session import TIMINGS
from tests.tui.turns import answered, turn


def test_retry_stands_with_what_it_asks_again_and_is_shown() -> None:
    log = ChatLog()
    places = [log.begin(one) for one in (turn(1), turn(2), turn(3, retry_of=1), turn(4, retry_of=3))]
    assert places == [0, 1, 0, 0]
    assert log.shown == {4, 2}
    assert log.walk(4, -1) == 0
    assert log.shown == {3, 2}
    assert log.walk(3, 1) == 0
    assert log.walk(4, 1) is None
    assert log.walk(2, -1) is None
    assert log.walk(99, 1) is None


def test_kept_chat_shows_the_last_whole_answer_of_each_question() -> None:
    log = ChatLog()
    stopped = turn(3, retry_of=1, answer="Half", state=TurnState.STOPPED)
    log.open([answered(1), answered(2, retry_of=1), stopped, turn(4, state=TurnState.FAILED)])
    assert log.shown == {2, 4}


def test_turn_becomes_what_is_said_of_it() -> None:
    begun = turn(1, name="pubmedqa")
    said = heard(heard(begun, Said(1, "ye", 1)), Said(1, "s.", 2))
    assert (said.answer, said.state) == ("yes.", TurnState.ANSWERING)
    assert heard(said, EngineRestarted("died", 1)).answer == ""
    weighed = heard(said, Verdict(1, "yes", {"yes": 1.0}))
    ended = heard(weighed, Ended(1, TurnState.DONE, "yes.", "yes", {"yes": 1.0}, TIMINGS))
    assert (ended.label, ended.label_probs, ended.timings) == ("yes", {"yes": 1.0}, TIMINGS)


def test_log_hears_turns_that_are_not_shown_and_nothing_of_others() -> None:
    log = ChatLog()
    log.begin(turn(1))
    log.begin(turn(2, retry_of=1))
    log.walk(2, -1)
    assert log.hear(Said(2, "Hidden", 1)) == turn(2, retry_of=1, answer="Hidden", state=TurnState.ANSWERING)
    assert log.entries[0].turn.answer == ""
    assert log.hear(Said(7, "nobody", 1)) is None
    assert log.hear(LoadingModel("m", None, 0.5)) is None  # type: ignore[arg-type]
    log.hear(Ended(1, TurnState.FAILED, "", error=EngineError("died")))
    assert set(log.errors) == {1}


def test_only_words_of_an_answer_that_did_not_end_can_be_gone_on_from() -> None:
    assert unfinished(turn(1, answer="Half", state=TurnState.STOPPED))
    assert unfinished(turn(1, answer="Half", state=TurnState.CUT))
    assert not unfinished(turn(1, state=TurnState.STOPPED))
    assert not unfinished(answered(1))


@given(st.integers(1, 400), st.data())
def test_window_is_never_empty_nor_too_large_and_reaches_both_ends(total: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, total - 1))
    window = around(at, total)
    assert window.holds(at)
    assert window.last - window.first == min(WINDOW, total)
    up, down = [window], [window]
    while up[-1].first:
        up.append(up[-1].older())
    while not down[-1].ends:
        down.append(down[-1].newer())
    for one in (*up, *down):
        assert 0 < one.last - one.first <= MOST
    for one, other in (*pairwise(up), *pairwise(down)):
        assert max(one.first, other.first) < min(one.last, other.last)


def test_window_at_the_end_grows_with_the_chat() -> None:
    window = Window()
    for _ in range(100):
        window = window.grown()
    assert (window.first, window.last, window.total) == (100 - MOST, 100, 100)
