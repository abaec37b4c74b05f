"""The installed program and kept chats: killed while it answers, locked, and private; real engine, real files."""

import signal
from pathlib import Path

import psutil
import pytest

from medlora_edge.errors import ExitCode
from medlora_edge.history import TurnState
from tests.cli.program import PROGRAM, one_thread, run
from tests.history.support import PASSPHRASE, reopen
from tests.tui.kept import folder, kept
from tests.tui.terminal import Terminal, terminal
from tests.tui.waiting import wait_until

QUESTION = "What is sepsis?"
DRAFT = "And in children?"


@pytest.fixture(autouse=True)
def _installed(tiny_gguf: Path) -> None:
    one_thread()
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE
    kept()[0].close()


def unlock(screen: Terminal) -> None:
    screen.shows("Your chats are locked")
    screen.press(PASSPHRASE, "\u2022" * len(PASSPHRASE))
    screen.send("\r")


def test_killed_while_it_answers_it_goes_on_at_the_next_start() -> None:
    with terminal([PROGRAM]) as screen:
        unlock(screen)
        screen.shows("saved, encrypted")
        screen.shows("ready")
        screen.press(QUESTION, QUESTION)
        (engine,) = screen.engines
        with screen.slow_engine():
            screen.press("\r", "answering")
        engine.suspend()  # else the tiny model is done too soon
        screen.press(DRAFT, DRAFT)
        _let_it_be_kept(screen)
        screen.process.send_signal(signal.SIGKILL)
        engine.kill()
        screen.quits()
    with reopen(folder()) as store:
        (turn,) = store.interrupted()
        assert turn.question.question == QUESTION
        assert turn.answer
        assert turn.state is TurnState.INTERRUPTED
        assert DRAFT in store.draft()
        store._db.execute("UPDATE turn SET state = 'answering'")  # type: ignore[union-attr]  # as it was found
    with terminal([PROGRAM]) as screen:
        unlock(screen)
        screen.shows("Go on?")
        screen.shows("ready")
        with screen.slow_engine():
            screen.press("\r", "answering")
            screen.shows(DRAFT)
            screen.press("\x1b", "Stopped by you.")
        screen.send("\x11")
        assert screen.quits() == ExitCode.DONE
        assert screen.restored
    with reopen(folder()) as store:
        first, second = store.turns(store.chats()[0].id)
        assert second.retry_of == first.id
        assert DRAFT in store.draft()


def test_lock_ends_the_engine_and_leaves_nothing_on_the_screen() -> None:
    with terminal([PROGRAM]) as screen:
        unlock(screen)
        screen.shows("ready")
        screen.press(QUESTION, QUESTION)
        (engine,) = screen.engines
        with screen.slow_engine():
            screen.press("\r", "answering")
            screen.press("\x0c", "Your chats are locked")
        assert QUESTION not in screen.text
        assert "answering" not in screen.text
        _, alive = psutil.wait_procs([engine], timeout=60)
        assert not alive
        unlock(screen)
        screen.shows(QUESTION)
        screen.shows("Go on?")
        screen.send("\x1b")
        screen.shows("ready")
        assert screen.engines
        screen.send("\x11")
        assert screen.quits() == ExitCode.DONE


def test_private_asks_and_writes_nothing(home: Path) -> None:
    before = _tree(home)
    with terminal([PROGRAM, "--private"]) as screen:
        screen.shows("ready")
        assert "not saved" in screen.text
        screen.press(QUESTION, QUESTION)
        with screen.slow_engine():
            screen.press("\r", "answering")
            screen.press("\x1b", "Stopped by you.")
        screen.press("\x11", "Quit?")
        screen.send("\r")
        assert screen.quits() == ExitCode.DONE
    assert _tree(home) == before


def _let_it_be_kept(screen: Terminal) -> None:
    """Until the store's file has grown twice: the second time what stands on the screen now is in it."""
    log = folder() / "chats.db-wal"
    for _ in range(2):
        size = log.stat().st_size
        screen.send(" ")
        wait_until(lambda: log.stat().st_size > size, "something was kept")  # noqa: B023


def _tree(home: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
