"""A terminal of our own around a program: what it writes is kept byte for byte."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.tui.waiting import wait_until

ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]")


class Terminal:
    """`output` are all bytes written so far."""

    def __init__(self, command: Sequence[str | Path], env: dict[str, str], columns: int = 80, rows: int = 24) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm-256color", **env},
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def shows(self, words: str) -> None:
        """Wait until it was drawn."""
        wait_until(lambda: words in self.text, f"{words!r} in {self.text[-1500:]!r}")

    @property
    def text(self) -> str:
        return ESCAPES.sub(b"", self.output).decode(errors="replace")

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was: its settings, its screen, its cursor."""
        left = self.output.rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h")
        cursor = self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l")
        return left and cursor and termios.tcgetattr(self.slave)[3] == self.before[3]

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65536):
                self.output += data
        except OSError:
            return


@contextmanager
def terminal(command: Sequence[str | Path], **env: str) -> Iterator[Terminal]:
    opened = Terminal(command, env)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            os.killpg(opened.process.pid, signal.SIGKILL)
        opened.process.wait()
