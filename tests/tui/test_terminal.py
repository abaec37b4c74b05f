"""The installed program in a terminal, real engine, real model: start, ask, stop, quit, and what is left behind."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import PROGRAM, one_thread, run
from tests.tui.terminal import Terminal, terminal
from tests.tui.waiting import wait_until

QUESTION = "What is sepsis?"
STOPPED = "Stopped by you."
ABSTRACT = "Sepsis is a life-threatening organ dysfunction caused by a dysregulated host response. " * 80
CRASHING = """
from medlora_edge.cli import main
from medlora_edge.tui.widgets.prompt import Prompt
Prompt.action_send = lambda prompt: 1 / 0
main.main()
"""
BROKEN_SETTINGS = '[engine]\nthreads = 1\n\n[app]\ntheme = "mauve"\n'
COLOUR = re.compile(r"[34]8;5;(\d+)")
GREYS = range(232, 256)
DRAGS = 6


@pytest.fixture(autouse=True)
def model(tiny_gguf: Path) -> None:
    """Random weights: an answer that goes on until it is stopped. What ships is asked in test_terminal_shipped.py."""
    one_thread()
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE


@pytest.fixture
def screen() -> Iterator[Terminal]:
    """The app, started."""
    with terminal([PROGRAM]) as opened:
        yield opened


def ask(screen: Terminal, question: str = QUESTION) -> None:
    """Type and send; wait for the answer to begin."""
    screen.press(question, question)
    screen.press("\r", "answering")


def leave(screen: Terminal) -> None:
    """Quit, and see that nothing of the app stays."""
    screen.press("\x11", "Quit?")
    screen.send("\r")
    assert screen.quits() == ExitCode.DONE
    assert screen.restored
    assert screen.foreign == []


def test_ask_resize_stop_and_quit(screen: Terminal) -> None:
    screen.shows("ready")
    with screen.slow_engine():
        ask(screen)
        screen.resize(100, 30)
        screen.shows(QUESTION)
        screen.resize(40, 10)
        screen.shows("too small")
        screen.resize(80, 24)
        screen.hides("too small")
        screen.press("\x1b", STOPPED)
    ask(screen, "And what else?")
    screen.send("\x1b")
    leave(screen)


def test_window_dragged_while_an_answer_is_written_still_obeys(screen: Terminal) -> None:
    """Sizes that overtook each other were followed for ever."""
    screen.shows("ready")
    with screen.slow_engine():
        ask(screen)
        for _ in range(DRAGS):
            screen.resize(40, 10)
            screen.shows("too small")
            screen.resize(80, 24)
            screen.shows("Ask a clinical question")
        screen.press("\x1b", STOPPED)
    leave(screen)


def test_stop_is_seen_at_once_in_each_phase_whatever_the_engine_does(screen: Terminal) -> None:
    wait_until(lambda: screen.engines, "an engine process")
    screen.engines[0].suspend()
    screen.shows("loading")
    screen.press("\x1b", "load was stopped")
    ask(screen)  # loads the model again
    (engine,) = screen.engines
    engine.suspend()
    screen.press("\x1b", STOPPED)  # while the answer is written
    engine.resume()
    screen.press(f"\x1b[200~{ABSTRACT}\x1b[201~", "host response")
    engine.suspend()
    screen.press("\r", "Ask a clinical question")
    screen.press("\x1b", "host response")  # it was not begun: it stands in the prompt again
    engine.resume()
    screen.press("\r", "reading prompt")
    engine.suspend()
    screen.hides(STOPPED)
    assert "answering" not in screen.text
    screen.press("\x1b", STOPPED)
    engine.resume()
    ask(screen, "Does it work again?")
    screen.send("\x1b")
    leave(screen)


def test_engine_that_is_killed_is_started_again_and_the_chat_is_kept(screen: Terminal) -> None:
    screen.shows("ready")
    with screen.slow_engine():
        ask(screen)
        (engine,) = screen.engines
        engine.kill()
    screen.shows("SIGKILL")
    wait_until(lambda: [other for other in screen.engines if other.pid != engine.pid])
    with screen.slow_engine():
        screen.shows("answering")
        screen.press("\x1b", STOPPED)
    assert [other for other in screen.engines if other.pid != engine.pid]
    screen.press("\x1b[1;5H", QUESTION)
    leave(screen)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_engine_outlives_the_program(screen: Terminal, end: signal.Signals) -> None:
    screen.shows("ready")
    ask(screen)
    (engine,) = screen.engines
    if end is signal.SIGHUP:
        screen.hang_up()
    else:
        screen.process.send_signal(end)
    screen.quits()
    _, alive = psutil.wait_procs([engine], timeout=60)
    assert not alive
    assert end is not signal.SIGTERM or screen.restored


def test_screen_is_restored_after_an_error_of_our_own_and_what_was_typed_stays_hidden() -> None:
    with terminal([sys.executable, "-c", CRASHING]) as screen:
        screen.shows("ready")
        screen.press("secret", "secret")
        screen.send("\r")
        assert screen.quits() == ExitCode.UNEXPECTED
        screen.shows("error: unexpected ZeroDivisionError")
        assert screen.restored
        assert "secret" not in screen.text


def test_ctrl_c_warns_once_and_quits_at_the_second_press(screen: Terminal) -> None:
    screen.shows("ready")
    with screen.slow_engine():
        ask(screen)
        screen.press("\x03", STOPPED)
    screen.press("draft", "draft")
    screen.press("\x03", "again")
    assert "draft" in screen.text
    screen.send("\x03")
    assert screen.quits() == ExitCode.DONE
    assert screen.restored


def test_settings_file_that_is_broken_is_named_with_its_line_and_colours_can_be_off(home: Path) -> None:
    file = home / "config" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(BROKEN_SETTINGS)
    with terminal([PROGRAM], NO_COLOR="1", columns=120, rows=40) as screen:
        screen.shows("ready")
        screen.shows("settings.toml, line 5")
        with screen.slow_engine():
            ask(screen)
            screen.press("\x1b", STOPPED)
        assert {int(colour) for colour in COLOUR.findall(screen.output.decode())} <= set(GREYS)
        leave(screen)


def test_without_a_terminal_it_says_so() -> None:
    done = run()
    assert done.returncode == ExitCode.USAGE
    assert "the app needs a terminal" in done.stderr
    assert done.stdout == ""


def test_output_into_a_pipe_gets_no_screen() -> None:
    with terminal(["sh", "-c", f"{PROGRAM} | cat; exit 0"]) as screen:
        screen.shows("the app needs a terminal")
        screen.quits()
        assert b"\x1b" not in screen.output
