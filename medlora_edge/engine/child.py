"""The engine process as its parent sees it: started, spoken to, heard, watched, and its death explained."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from medlora_edge.engine.protocol import MAX_LINE, Alive, Event, read_event, to_line
from medlora_edge.errors import ExitCode
from medlora_edge.paths import private_folder

# Everything else stays outside: GGML_*, LLAMA_* and LD_* choose libraries, PYTHON* chooses code.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")
LOG_LIMIT = 1 << 20
VARIANT_MEMORY = "engine-variant.json"  # beside the log: which CPU variant passed its self-test

DEATHS = {
    "SIGILL": "it used an instruction that this processor does not have: install a build for this processor",
    "SIGBUS": "the model file shrank, vanished or could not be read while it was in use: check the disk",
    "SIGABRT": "llama.cpp gave up on an internal check",
    "SIGSEGV": "llama.cpp touched memory that is not its own",
    "SIGKILL": "it was killed from outside",
}
UNSUPPORTED = "the engine needs a processor with SSE4.2 and POPCNT (x86-64-v2), and this one cannot run it"
NO_TRIAL_PASSED = "every CPU variant failed its self-test; the engine log says how"
OUT_OF_MEMORY = "the system ran out of memory and ended it: choose a smaller model or context"


@dataclass(frozen=True)
class Patience:
    """Seconds of silence, and of computing without finishing one batch, after which the process counts as hung."""

    silence: float = 20.0
    batch: float = 600.0
    check: float = 1.0


class Child:
    """One engine process. `on_event` and `on_death` are called from its own reader thread."""

    def __init__(
        self,
        log: Path,
        *,
        variant: str | None,
        on_event: Callable[[Event], None],
        on_death: Callable[["Child", str], None],
        patience: Patience,
    ) -> None:
        self._on_event = on_event
        self._on_death = on_death
        self._patience = patience
        self._hang: str | None = None
        self._oom_kills = _oom_kills()
        self._heard = self._moved = time.monotonic()
        self._steps = -1
        self._busy = False
        self._spoke = False
        self._variant = variant
        self._process = _start(log, variant)
        for task in (self._read, self._watch):
            threading.Thread(target=task, daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def unsupported(self) -> bool:
        """Whether it ended because nothing of this build runs here: another start would end alike."""
        code = self._process.poll()
        return code in (ExitCode.PLATFORM, ExitCode.ENGINE) or (code == -signal.SIGILL and not self._spoke)

    def send(self, request: BaseModel) -> None:
        """Write one request; a dead process is noticed by the reader, not here."""
        assert self._process.stdin  # noqa: S101 - opened as a pipe
        try:
            self._process.stdin.write(to_line(request))
            self._process.stdin.flush()
        except OSError:
            return

    def kill(self) -> None:
        """End it now and wait for the end: it holds nothing that needs saving."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout  # noqa: S101 - opened as a pipe
        while line := self._process.stdout.readline(MAX_LINE):
            if len(line) < MAX_LINE and not line.endswith(b"\n"):
                break  # torn by its death
            try:
                event = read_event(line)
            except ValidationError:
                self._hang = "it said something unreadable"
                self._process.kill()
                break
            self._heard = time.monotonic()
            self._spoke = True
            if isinstance(event, Alive):
                self._note_progress(event)
            else:
                self._on_event(event)
        self._on_death(self, self._cause())

    def _note_progress(self, alive: Alive) -> None:
        if alive.steps != self._steps or not alive.busy:
            self._steps, self._moved = alive.steps, self._heard
        self._busy = alive.busy

    def _watch(self) -> None:
        while self._process.poll() is None:
            before = time.monotonic()
            time.sleep(self._patience.check)
            now = time.monotonic()
            if now - before > self._patience.check + self._patience.silence / 2:
                self._heard = self._moved = now  # the whole program was stopped, not the engine alone
            if now - self._heard > self._patience.silence:
                self._hang = f"it gave no sign of life for {self._patience.silence:.0f} seconds"
            elif self._busy and now - self._moved > self._patience.batch:
                self._hang = f"it computed for {self._patience.batch:.0f} seconds without finishing one batch"
            if self._hang:
                self._process.kill()
                return

    def _cause(self) -> str:
        code = self._process.wait()
        if self._hang:
            return f"the engine hung: {self._hang}"
        if code == ExitCode.ENGINE:
            return NO_TRIAL_PASSED
        if self.unsupported:
            return f"this processor cannot run the CPU variant {self._variant}" if self._variant else UNSUPPORTED
        if code >= 0:
            return f"the engine ended with code {code}"
        name = signal.Signals(-code).name
        oom = name == "SIGKILL" and _oom_kills() > self._oom_kills
        return f"the engine died ({name}): {OUT_OF_MEMORY if oom else DEATHS.get(name, 'unknown cause')}"


def _start(log: Path, variant: str | None) -> subprocess.Popen[bytes]:
    environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    environment["GGML_NO_BACKTRACE"] = "1"  # a failed check would start a debugger for its backtrace
    # Threads that wait for one another sleep after some 20 microseconds. By default they turn for milliseconds, and
    # where one of them has lost its core to another program the others burn theirs for nothing.
    environment["GOMP_SPINCOUNT"] = "2000"
    private_folder(log.parent)
    if log.is_file() and log.stat().st_size > LOG_LIMIT:
        log.unlink()
    memory = ""
    with log.open("ab") as stream:
        if log.is_file():  # and not the null device: then nothing is to be written
            log.chmod(0o600)
            memory = str(log.parent.resolve() / VARIANT_MEMORY)
        return subprocess.Popen(
            [sys.executable, "-P", *_no_byte_code(), "-m", "medlora_edge.engine.worker", memory, variant or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env=environment,
            cwd=log.parent,  # llama.cpp builds may look for libraries in the current folder
        )


def _no_byte_code() -> list[str]:
    """A parent that writes no byte code, because the program's files are signed, has a child that writes none."""
    return ["-B"] if sys.dont_write_bytecode else []


def _oom_kills() -> int:
    """The kernel's count of processes it ended for want of memory; 0 where it keeps none."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
