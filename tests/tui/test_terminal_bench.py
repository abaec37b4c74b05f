"""A bench inside the installed app, in a terminal, with the real engine over the shipped sample."""

from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import PROGRAM, one_thread, run
from tests.tui.terminal import Terminal, terminal
from tests.tui.waiting import wait_until

F5, ESCAPE, ENTER, TAB, DOWN, PAGE_DOWN = "\x1b[15~", "\x1b", "\r", "\t", "\x1b[B", "\x1b[6~"


@pytest.fixture(autouse=True)
def installed(tiny_gguf: Path) -> None:
    one_thread()
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE


def move(screen: Terminal, *fields: str) -> None:
    """Go on field by field: a key typed before the focus is there would reach the field before."""
    for field in fields:
        screen.press(TAB, f"\u258c{field}")


def test_measure_read_and_go_back_to_the_chat() -> None:
    with terminal([PROGRAM, "--private"]) as screen:
        screen.shows("ready")
        screen.press(F5, "\u258cModel")
        screen.shows("SAMPLE DATA")
        move(screen, "Data", "Mode", "Questions")
        screen.press("8", "Questions  8")
        screen.press(ENTER, "n = 8")
        screen.shows("UNTRAINED MODEL")
        screen.press(PAGE_DOWN, "Confusion")
        screen.press(ESCAPE, "8 of 8 answered")
        screen.press(F5, "your next question loads the model")
        screen.press("Why?", "Why?")
        screen.press(ENTER, "answering")
        screen.press(ESCAPE, "Stopped by you.")
        screen.press("\x11", "Quit?")
        screen.send(ENTER)
        assert screen.quits() == ExitCode.DONE
        assert screen.restored
        assert screen.foreign == []
    again = run("bench", "pubmedqa", "--mode", "score", "--limit", "8")
    assert "this run is finished" in again.stderr
    assert "n = 8" in again.stdout


def test_stop_go_on_and_quit_in_the_middle() -> None:
    with terminal([PROGRAM, "--private"]) as screen:
        screen.shows("ready")
        screen.press(F5, "\u258cModel")
        screen.shows("SAMPLE DATA")
        move(screen, "Data", "Mode")
        screen.press(ENTER, "constrained:")
        screen.send(DOWN * 2)
        screen.send(ENTER)
        screen.shows("Mode       generate:")
        move(screen, "Questions")
        screen.press(ENTER, "0 of 25 answered")
        screen.press(ESCAPE, "Stopped by you.")
        wait_until(lambda: not screen.engines, "the engine is gone")
        screen.press("r", "Asking")
        screen.press("\x11", "A bench is running")
        screen.send(ENTER)
        assert screen.quits() == ExitCode.DONE
        assert screen.restored
        assert screen.foreign == []
    assert "unfinished" in run("bench", "list").stdout
