"""The worker's answers to what llama.cpp refuses."""

import io
from types import SimpleNamespace

import pytest

from medlora_edge.engine import worker
from medlora_edge.engine.native import LoadError
from medlora_edge.engine.protocol import Cause, ContextOptions, Failed, Open, read_event


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
