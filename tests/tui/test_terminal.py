"""The installed program in a terminal: real engine, real model; and no byte of a model's that steers the terminal."""

import sys
from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import PROGRAM, run
from tests.tui.terminal import terminal

ROOT = Path(__file__).parent.parent.parent
HOSTILE_APP = """
from tests.tui.apps import FakeApp, a_model
from tests.tui.fake_session import Crash, Say, Fail
from medlora_edge.errors import EngineError
app = FakeApp(model=a_model("m" + {hostile!r}))
app.fake.notes = ({hostile!r},)
app.fake.script(*map(Say, {hostile!r} + "WHOLE"), Crash({hostile!r}), *map(Say, {hostile!r}),
                Fail(EngineError({hostile!r} + "THEEND", where={hostile!r}, fix={hostile!r})))
app.run()
"""
HOSTILE = (
    "\x1b]52;c;SEVMTE8=\x07\x1b]0;PWNED\x07\x1b[2J\x9b31m\x9d0;X\x9c\x1bP\x1b\\\u202eabc\u2066\x00\x08\r"
    "\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\ [@click=app.quit]x[/] [bold]y[/bold] [link=http://z]z[/link]"
)


@pytest.fixture
def installed(tiny_gguf: Path) -> None:
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE


@pytest.mark.usefixtures("installed")
def test_ask_stop_and_quit() -> None:
    with terminal([PROGRAM]) as screen:
        screen.shows("ready")
        screen.send("What is sepsis?")
        screen.shows("sepsis?")
        screen.send("\r")
        screen.shows("answering")
        screen.send("\x1b")
        screen.shows("Stopped by you.")
        screen.send("\x11")
        screen.shows("Quit?")
        screen.send("\r")
        assert screen.process.wait(60) == ExitCode.DONE
        assert screen.restored


@pytest.mark.usefixtures("installed")
def test_ctrl_c_twice_quits_at_any_time() -> None:
    with terminal([PROGRAM]) as screen:
        screen.shows("ready")
        screen.send("\x03")
        screen.shows("again")
        screen.send("\x03")
        assert screen.process.wait(60) == ExitCode.DONE
        assert screen.restored


def test_nothing_a_model_or_an_error_says_steers_the_terminal() -> None:
    program = HOSTILE_APP.format(hostile=HOSTILE)
    with terminal([sys.executable, "-c", program], PYTHONPATH=str(ROOT)) as screen:
        screen.shows("ready")
        screen.send("Hello")
        screen.shows("Hello")
        screen.send("\r")
        screen.shows("THEEND")
        screen.send("\x03")
        screen.shows("again")
        screen.send("\x03")
        screen.process.wait(60)
    own = b"\x1b]22;default\x07"  # the mouse pointer's shape, from Textual itself
    output = screen.output.replace(own, b"")
    for steering in (b"\x1b]", b"\x1bP", b"\x1b\\", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x9c", b"\x07", b"\x08", b"\x00"):
        assert steering not in output
    for bidi in ("\u202e", "\u2066"):
        assert bidi.encode() not in output
    assert "[@click=app.quit]x[/] [bold]y" in screen.text


def test_without_a_terminal_it_shows_its_help() -> None:
    assert "Decision support only" in run().stdout
