"""The model page in a terminal, with the real engine: switch in the middle of a chat, and lose the model's file."""

from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.errors import ExitCode
from medlora_edge.models import Model
from tests.cli.program import PROGRAM, one_thread
from tests.models.corpus import valid_gguf
from tests.tui.terminal import terminal

F4 = "\x1bOS"
HOME = "\x1b[H"
NEW_CHAT = "\x0e"


@pytest.fixture
def small(tiny_gguf: Path, tmp_path: Path) -> Model:
    """Beside the one that is used, and before it in the list."""
    one_thread()
    models.add(tiny_gguf, name="tiny")
    models.set_default("tiny")
    return models.add(valid_gguf(tmp_path / "small.gguf"))


def test_switch_keeps_the_chat_and_a_lost_file_is_refused(small: Model) -> None:
    with terminal([PROGRAM]) as screen:
        screen.shows("ready \u00b7 UNTRAINED \u00b7 tiny")
        screen.press("What is sepsis?", "What is sepsis?")
        screen.press("\r", "answering")
        screen.shows(" from cache) in ")  # the figures of the whole answer
        screen.press(F4, "small \u00b7 untrained")
        screen.press(HOME, "F32, 0.1 million parameters")
        screen.press("v", "small is the file that was installed.")
        screen.press("\r", "small answers from here on. The chat stays.")
        screen.shows("ready \u00b7 UNTRAINED \u00b7 small")
        small.path.unlink()
        screen.send(NEW_CHAT)  # an answer that came to its end may be more than this context holds
        screen.hides("answers from here on")
        screen.press("And in children?", "And in children?")
        screen.press("\r", "the file of the model 'small' is gone")
        screen.press(F4, "file is missing")
        screen.press("\x1b", "Keep chats")
        screen.press("\x11", "Quit?")
        screen.send("\r")
        assert screen.quits() == ExitCode.DONE
        assert screen.restored
        assert screen.foreign == []
