"""The worker's answers to what llama.cpp refuses."""

import io
import subprocess
import sys
from types import SimpleNamespace

import pytest

from medlora_edge.engine import worker
from medlora_edge.engine.native import LoadError
from medlora_edge.engine.protocol import Cause, ContextOptions, Failed, Open, read_event
from medlora_edge.errors import ExitCode

FAILS_EVERY_TRIAL = """
from medlora_edge.engine import backends, worker

def load(*_, **__):
    raise backends.TrialError("every CPU variant failed its self-test (best: exit code 3)")

backends.load = load
worker.main("", "")
"""


def test_a_context_that_cannot_be_made_is_no_damaged_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise LoadError("llama.cpp cannot make a context")

    said = io.BytesIO()
    served = worker.Worker(io.BytesIO(), said, "generic")
    monkeypatch.setattr(served, "_loaded", lambda: (SimpleNamespace(), SimpleNamespace()))
    monkeypatch.setattr(worker, "_context", refuse)
    served._handle(Open(id=1, options=ContextOptions(kv_type="q8_0", threads=1)))
    event = read_event(said.getvalue())
    assert isinstance(event, Failed)
    assert event.cause is Cause.MEMORY
    assert "KV cache of type q8_0" in event.what


def test_trials_that_all_failed_are_logged_in_words_and_have_an_exit_code_of_their_own() -> None:
    ended = subprocess.run([sys.executable, "-c", FAILS_EVERY_TRIAL], capture_output=True, check=False)
    assert ended.returncode == ExitCode.ENGINE
    assert ended.stderr.decode().splitlines()[-1] == "every CPU variant failed its self-test (best: exit code 3)"
    assert b"Traceback" not in ended.stderr
