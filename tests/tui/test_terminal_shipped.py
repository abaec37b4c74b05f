"""A new user in a terminal: the installed program and the model that ships, from the start to a verdict."""

import re
from collections.abc import Iterator

import pytest

from medlora_edge.bench.library import sample
from medlora_edge.errors import ExitCode
from medlora_edge.notice import DEMONSTRATION
from tests.cli.program import PROGRAM
from tests.tui.terminal import Terminal, terminal

NEW_CHAT, NEXT_MODE, TAB, ENTER, QUIT = "\x0e", "\x1b[Z", "\t", "\r", "\x11"
QUESTION = "Does honey ease cough in children?"
OPTIONS = "Which drug relieves an attack of asthma?\n(A) warfarin\n(B) salbutamol\n(C) metformin"
PROBABILITY = re.compile(r"[\u2588\u2591] +(\d+\.\d)%")  # behind its bar


@pytest.fixture
def screen() -> Iterator[Terminal]:
    with terminal([PROGRAM], columns=100, rows=40) as opened:
        opened.shows("ready")
        yield opened
        opened.press(QUIT, "Quit?")
        opened.send(ENTER)
        assert opened.quits() == ExitCode.DONE
        assert opened.restored
        assert opened.foreign == []


def paste(screen: Terminal, text: str) -> None:
    screen.press(f"\x1b[200~{text}\x1b[201~", "read ahead")


def probabilities(screen: Terminal) -> list[float]:
    screen.shows("Verdict")
    screen.shows("tok/s")
    return [float(percent) for percent in PROBABILITY.findall(screen.text)]


def test_question_is_answered_and_the_model_said_to_be_a_demonstration(screen: Terminal) -> None:
    screen.shows(DEMONSTRATION)
    screen.press(QUESTION, QUESTION)
    screen.press(ENTER, "tok/s")
    assert "starter" in screen.text


def test_pasted_abstract_and_options_get_verdicts_with_probabilities(screen: Terminal) -> None:
    asked = sample().items[0].question
    screen.press(NEXT_MODE, "Paste the abstract")
    paste(screen, " ".join(asked.contexts))
    screen.press(TAB, "Send")
    screen.press(asked.question, asked.question[:40])
    screen.send(ENTER)
    assert sum(probabilities(screen)) == pytest.approx(100, abs=0.2)
    screen.press(NEXT_MODE, "Multiple choice")
    screen.send(NEW_CHAT)
    screen.hides("Verdict")
    paste(screen, OPTIONS)
    screen.send(ENTER)
    assert sum(probabilities(screen)) == pytest.approx(100, abs=0.2)
