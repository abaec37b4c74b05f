"""Nothing that a model or a file says can steer the terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.privacy import clean

ATTACKS = [
    "\x1b[2J\x1b[H",  # clear the screen
    "\x1b]52;c;aGVsbG8=\x07",  # write the clipboard
    "\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\",  # hide a link
    "\x9b31m\x9d0;title\x9c",  # one-character CSI and OSC
    "safe\rEVIL",  # overwrite the line
    "a\x08\x08\x08b",  # walk back
    "\u202egnp.exe",  # turn the text round
    "\u206aabc\ufff9x\ufffb\U000e0041",  # hide it
    "\x0e\x0f\x05\x00",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_control_character_gets_through(attack: str) -> None:
    assert not {unicodedata.category(letter) for letter in clean(attack)} & {"Cc", "Cf", "Cs"}


@given(st.text())
def test_cleaning_is_safe_and_settled_for_any_text(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not any(letter in cleaned for letter in "\x1b\x07\r\x9b\x9d\u202e\u2066")
    cleaned.encode()


@given(st.text(), st.integers(0, 50))
def test_a_stream_may_be_cut_anywhere(text: str, cut: int) -> None:
    assert clean(text[:cut]) + clean(text[cut:]) == clean(text)


def test_words_in_any_script_and_layout_stay() -> None:
    text = "Fièvre 39 °C\n\tß-blocker → 患者 مريض 👩‍⚕️ p≥0.05"
    assert clean(text) == text
