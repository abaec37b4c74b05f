"""The list of chats in a terminal, with the real engine: found, opened, erased, and no byte that steers it."""

from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import PROGRAM, one_thread, run
from tests.tui.terminal import terminal


@pytest.fixture(autouse=True)
def model(tiny_gguf: Path) -> None:
    """Any model."""
    one_thread()
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE


def test_search_open_and_erase_in_a_chat_that_is_not_saved() -> None:
    with terminal([PROGRAM]) as screen:
        screen.shows("ready")
        screen.press("What is [bold]sepsis[/]?", "[bold]sepsis[/]?")
        screen.press("\r", "answering")
        screen.press("\x1b", "Stopped by you.")
        screen.press("\x0e", "not saved")  # a new chat
        screen.hides("Stopped by you.")
        screen.press("\x12", "1 chat")
        screen.press("sepsis", "1 place")
        screen.send("\r")
        screen.hides("1 place")
        screen.press("\x1b[1;5F", "Stopped by you.")  # what was found is in view, the end of a long answer is not
        screen.press("\x12", "1 chat")
        screen.press("\t", "Erase")
        screen.press("d", "Erase this chat?")
        screen.press("\x1b[B\r", "0 chats")
        screen.press("\x1b", "Ask a clinical question")
        screen.hides("Stopped by you.")
        assert screen.foreign == []
        screen.send("\x11")
        assert screen.quits() == ExitCode.DONE
        assert screen.restored
