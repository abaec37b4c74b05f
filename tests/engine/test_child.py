"""What the parent makes of a child's last words."""

import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

from medlora_edge.engine import Engine, child
from medlora_edge.engine.child import Child, Patience
from medlora_edge.errors import ExitCode, PlatformError

DIES_IN_A_WORD = 'import os; os.write(1, b\'{"event": "al\'); os.kill(os.getpid(), 9)'


def test_a_line_torn_by_a_death_is_no_reason_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def start(*_: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", DIES_IN_A_WORD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(child, "_start", start)
    causes: SimpleQueue[str] = SimpleQueue()
    Child(
        tmp_path / "engine.log",
        variant=None,
        on_event=print,
        on_death=lambda _, cause: causes.put(cause),
        patience=Patience(),
    )
    assert "SIGKILL" in causes.get(timeout=60)


def test_trials_that_all_failed_are_told_of_and_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts: list[subprocess.Popen[bytes]] = []

    def start(*_: object) -> subprocess.Popen[bytes]:
        program = f"import sys; sys.exit({ExitCode.ENGINE})"
        starts.append(subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return starts[-1]

    monkeypatch.setattr(child, "_start", start)
    with Engine(log=tmp_path / "engine.log") as engine:
        for _ in range(2):
            with pytest.raises(PlatformError, match="every CPU variant failed its self-test; the engine log says how"):
                engine.load(tmp_path / "model.gguf")
    assert len(starts) == 1
