"""The program in a terminal of our own: what stands on its screen, and whether it leaves it as it was."""

import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks import terminal as pseudo
from tests.tui.emulator import Emulator
from tests.tui.waiting import wait_until

ENGINE = "medlora_edge.engine.worker"
HELD_SECONDS, FREE_SECONDS = 0.1, 0.005


class Terminal(pseudo.Terminal):
    """`text` is what stands on the screen now, a line each."""

    def __init__(
        self, command: Sequence[str | Path], env: dict[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        super().__init__(command, env, columns=columns, rows=rows)
        self._emulator = Emulator(columns, rows)
        self._seen = 0

    def shows(self, words: str) -> None:
        """Wait until it stands on the screen."""
        self._wait(lambda: words in self.text, f"{words!r}")

    def hides(self, words: str) -> None:
        """Wait until it stands there no more."""
        self._wait(lambda: words not in self.text, f"no {words!r}")

    def press(self, keys: str | bytes, then: str) -> None:
        """Type and see what comes of it."""
        self.send(keys)
        self.shows(then)

    def resize(self, columns: int, rows: int) -> None:
        self._follow()
        self._emulator.resize(columns, rows)
        super().resize(columns, rows)

    @property
    def text(self) -> str:
        self._follow()
        return "\n".join(self._emulator.lines)

    @property
    def foreign(self) -> list[str]:
        """What steered the terminal and was not Textual's own."""
        self._follow()
        return self._emulator.foreign

    @property
    def engines(self) -> list[psutil.Process]:
        """The engine processes of the program."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if _is_engine(child)]

    @contextmanager
    def slow_engine(self) -> Iterator[None]:
        """The engine computes a small part of the time: its answer grows for as long as a test looks at it."""
        (engine,) = self.engines
        over = threading.Event()
        brake = threading.Thread(target=_brake, args=(engine, over))
        brake.start()
        try:
            yield
        finally:
            over.set()
            brake.join()

    @property
    def restored(self) -> bool:
        """Whether the terminal comes to be as it was: its settings, its screen, its cursor, its modes."""
        try:
            wait_until(self._is_restored)  # what the program wrote last may still be on its way
        except AssertionError:
            return False
        return True

    def _is_restored(self) -> bool:
        switched = {mode: self.output.rfind(b"\x1b[?%dh" % mode) for mode in (1000, 1003, 1004, 1049, 2004)}
        left = all(self.output.rfind(b"\x1b[?%dl" % mode) > on for mode, on in switched.items())
        cursor = self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l")
        wrapped = self.output.rfind(b"\x1b[?7h") > self.output.rfind(b"\x1b[?7l")
        return left and cursor and wrapped and termios.tcgetattr(self.slave)[:4] == self.before[:4]

    def quits(self) -> int:
        """Wait for the program's end; its exit code."""
        return self.process.wait(60)

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        try:
            wait_until(holds)
        except AssertionError:
            raise AssertionError(f"never shown: {what}, but\n{self.text}\n{self.output[-300:]!r}") from None

    def _follow(self) -> None:
        data = self.output[self._seen :]
        self._seen += len(data)
        self._emulator.feed(data)


def _is_engine(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # it ended while we looked
        return ENGINE in process.cmdline()
    return False


def _brake(engine: psutil.Process, over: threading.Event) -> None:
    with suppress(psutil.NoSuchProcess):
        while not over.is_set():
            engine.suspend()
            over.wait(HELD_SECONDS)
            engine.resume()
            over.wait(FREE_SECONDS)


@contextmanager
def terminal(command: Sequence[str | Path], *, columns: int = 80, rows: int = 24, **env: str) -> Iterator[Terminal]:
    with Terminal(command, env, columns=columns, rows=rows) as opened:
        yield opened
