"""Recall of prompts, question modes, colours, clipboard, the last filter before the terminal."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from medlora_edge.privacy import clean
from medlora_edge.tui.chat import modes
from medlora_edge.tui.chat.recall import Recall
from medlora_edge.tui.terminal import clipboard
from medlora_edge.tui.terminal.safety import NoControls
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.widgets.verdict import headline


def test_recall_walks_back_and_forth_and_ends_at_the_draft() -> None:
    recall = Recall()
    assert recall.older("draft") is None
    for text in ("one", "two", "two", " "):
        recall.add(text)
    assert [recall.older("draft"), recall.older("two"), recall.older("one")] == ["two", "one", None]
    assert [recall.newer(), recall.newer(), recall.newer()] == ["two", "draft", None]


def test_modes_go_round() -> None:
    assert [modes.after(mode.task) for mode in modes.MODES] == ["pubmedqa", "multiple_choice", "ask"]


def test_what_is_typed_becomes_the_question_of_its_mode() -> None:
    assert modes.question("ask", " Why? ", "abstract").contexts == ()
    assert modes.question("pubmedqa", "Why?", "One.\n \nTwo.\n\n\n").contexts == ("One.", "Two.")
    assert modes.question("multiple_choice", "Why? (A) x (B) y", "").options == {"A": "x", "B": "y"}
    assert modes.seen("multiple_choice", "Why? (A) x (B) y") == "options A-B"
    assert modes.seen("multiple_choice", "Why?") == "no options yet"
    assert modes.seen("ask", "Why? (A) x (B) y") == ""


@pytest.mark.parametrize(("label", "words"), [("yes", "yes"), ("B", "(B)"), (None, "no verdict")])
def test_verdict_is_a_word_and_not_a_colour_alone(label: str | None, words: str) -> None:
    assert words in headline(label, {})


TEXTS = ("foreground", "primary", "secondary", "accent", "warning", "error", "success")


@pytest.mark.parametrize(("theme", "name"), product(THEMES, [*TEXTS, "quiet"]), ids=str)
def test_text_stands_out(theme: object, name: str) -> None:
    variables = theme.variables  # type: ignore[attr-defined]
    text = Color.parse(variables.get(name) or getattr(theme, name))
    for ground in ("background", "surface", "panel"):
        assert contrast(text, Color.parse(getattr(theme, ground))) >= 4.5


def contrast(one: Color, other: Color) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@given(st.text())
def test_no_segment_steers_the_terminal_and_links_are_dead(text: str) -> None:
    drawn = NoControls().apply([Segment(text, Style(link="https://example.org"))], Color(0, 0, 0))
    for segment in drawn:
        assert segment.text == clean(segment.text)
        assert "\n" not in segment.text
        assert segment.style is None or segment.style.link is None


def test_own_control_codes_pass() -> None:
    own = Segment("\x1b[1m", None, [(ControlType.BELL,)])
    assert NoControls().apply([own], Color(0, 0, 0)) == [own]


def test_copy_uses_the_desktops_program_and_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/copied\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(clipboard, "PATIENCE_SECONDS", 60)
    assert clipboard.copy("answer") == "wl-copy"
    assert (tmp_path / "copied").read_text() == "answer"
    program.write_text("#!/bin/sh\nexit 1\n")
    assert clipboard.copy("answer") is None
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert clipboard.copy("answer") is None
