"""A terminal of our own around a program: what is typed into it, and what it writes, byte for byte and when."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from medlora_edge.errors import EngineError

PATIENCE_SECONDS = 60.0
READ_BYTES = 1 << 16
LOOK_SECONDS = 0.1


class Terminal:
    """`output` are all bytes written so far. A context manager: its end is the program's, and its children's."""

    def __init__(
        self, command: Sequence[str | Path], env: Mapping[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        self._master, self.slave = pty.openpty()
        self._set_size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self._more = threading.Condition()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *(str(part) for part in command)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm-256color", **env},
        )
        self._open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def send(self, keys: str | bytes) -> float:
        """Type; returns when, on the clock of `time.perf_counter`."""
        data = keys.encode() if isinstance(keys, str) else keys
        sent = time.perf_counter()
        while data:
            data = data[os.write(self._master, data) :]
        return sent

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as when the window is dragged."""
        self._set_size(columns, rows)

    def hang_up(self) -> None:
        """The terminal goes away, as when its window is closed."""
        self._open = False
        self._reader.join()
        os.close(self.slave)
        os.close(self._master)

    def wait_for(self, *words: str, after: int = 0) -> float:
        """When one of `words` was written behind the first `after` bytes. Raises EngineError when none ever is."""
        wanted = [one.encode() for one in words]
        with self._more:
            if not self._more.wait_for(lambda: any(one in self.output[after:] for one in wanted), PATIENCE_SECONDS):
                raise EngineError(f"the program never wrote {' or '.join(words)!r}", where=repr(self.output[-500:]))
            return time.perf_counter()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        for data in self._pieces():
            with self._more:
                self.output += data
                self._more.notify_all()

    def _pieces(self) -> Iterator[bytes]:
        while self._open:
            if not select.select([self._master], [], [], LOOK_SECONDS)[0]:
                continue
            try:
                yield os.read(self._master, READ_BYTES)
            except OSError:  # nobody has the other side open any more
                return
