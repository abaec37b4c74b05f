"""Pastes told from keys, however the bytes are cut."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.tui.terminal.pastes import BEGIN, END, PAUSE_SECONDS, STALLED_SECONDS, Pasted, Pastes, Typed
from tests.tui.hostile import ESCAPES
from tests.tui.terminal import terminal

ROOT = Path(__file__).parent.parent.parent
TEXTS = st.text(st.characters(exclude_characters="\x1b"))


def heard(*reads: str, pause: float = 0.001) -> list[Typed | Pasted]:
    """What reads in quick succession, and the silence after them, are taken for."""
    pastes, now, pieces = Pastes(), 0.0, list[Typed | Pasted]()
    for read in reads:
        now += pause
        pieces += pastes.take(read, now)
    return [*pieces, *pastes.rest(now + 2 * PAUSE_SECONDS)]


@pytest.mark.parametrize(
    "keys", ["a", "\r", "é\r", "ab\r", "\t", "\x03", "\x1b", "\x1b[A", "\x1b[<3;40;12M" * 20, "jjj"]
)
def test_what_hands_type_are_keys(keys: str) -> None:
    assert heard(keys) == [Typed(keys)]


@pytest.mark.parametrize("paste", ["What is sepsis?\r", "a\tb\tc\r", "one\rtwo\rthree", "\r\rtext", "x" * 500])
def test_lines_that_come_in_one_read_are_a_paste_without_marks_too(paste: str) -> None:
    assert heard(paste) == [Pasted(paste)]


def test_paste_without_marks_goes_on_until_there_is_a_pause() -> None:
    assert heard("first line\r", "second", "\r") == [Pasted("first line\rsecond\r")]
    pastes = Pastes()
    list(pastes.take("first line\r", 0.0))
    assert list(pastes.rest(PAUSE_SECONDS / 2)) == []
    assert list(pastes.rest(PAUSE_SECONDS)) == [Pasted("first line\r")]
    assert list(pastes.take("\r", 1.0)) == [Typed("\r")]


def test_sequences_in_a_paste_without_marks_are_no_keys() -> None:
    assert heard("text\x1b[13u\x1bOM\x1b[A\rmore") == [Pasted("text\rmore")]


@given(TEXTS, TEXTS.filter(lambda text: len(text) < 3), st.data())
def test_marked_paste_is_whole_wherever_it_is_cut(text: str, before: str, data: st.DataObject) -> None:
    stream = before + BEGIN + text + END
    cut = data.draw(st.integers(0, len(stream)))
    other = data.draw(st.integers(cut, len(stream)))
    pieces = heard(stream[:cut], stream[cut:other], stream[other:])
    assert [piece.text for piece in pieces if isinstance(piece, Pasted)] == [text]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Typed)) == before


@given(st.lists(st.sampled_from([*ESCAPES, BEGIN, END, "\r", "text", "\x1b"])))
def test_nothing_is_lost_or_held_for_good(reads: list[str]) -> None:
    pastes = Pastes()
    for number, read in enumerate(reads):
        list(pastes.take(read, float(number)))
    end = len(reads) + STALLED_SECONDS
    list(pastes.rest(end))
    list(pastes.rest(end + 1))
    assert list(pastes.take("\r", end + 2)) == [Typed("\r")]


def test_line_break_behind_a_marked_paste_does_not_send() -> None:
    assert heard(f"{BEGIN}text{END}\r") == [Pasted("text"), Pasted("\r")]
    assert heard(f"{BEGIN}text{END}") == [Pasted("text")]


def test_paste_whose_end_is_lost_ends_after_a_while() -> None:
    pastes = Pastes()
    list(pastes.take(f"{BEGIN}half", 0.0))
    assert list(pastes.rest(STALLED_SECONDS / 2)) == []
    assert list(pastes.rest(STALLED_SECONDS)) == [Pasted("half")]
    assert list(pastes.take("\r", 5.0)) == [Typed("\r")]


def test_whatever_is_pasted_sends_nothing_and_breaks_nothing() -> None:
    program = "from tests.tui.apps import FakeApp; FakeApp().run()"
    with terminal([sys.executable, "-c", program], PYTHONPATH=str(ROOT)) as screen:
        screen.shows("ready")
        screen.press("First line\rsecond\tline\r", "second")
        screen.press(bytes(range(256)) * 40, "not text")
        screen.press(f"{BEGIN}{'word ' * 400_000}{END}", "no context holds that")
        screen.press(f"{BEGIN}a\x00b\x07c{' and plain words' * 10} to the END{END}", "to the END")
        assert "Answer" not in screen.text
        screen.press("\r", "An answer.")
        assert screen.foreign == []
