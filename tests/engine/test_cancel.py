"""Stopping in every phase, and that the engine is whole afterwards."""

import threading
import time
from pathlib import Path

import pytest

from medlora_edge.engine import ContextOptions, Done, Engine, Reason, Reuse
from medlora_edge.engine.cancel import Cancellations
from medlora_edge.engine.native import Context, Feed, Weights
from medlora_edge.engine.protocol import Token
from medlora_edge.errors import StoppedError
from tests.engine.chats import CANDIDATES, GREEDY, chat


def works(engine: Engine) -> bool:
    return isinstance(engine.generate(chat("Still there?"), max_tokens=2).result(), Done)


def test_cancel_while_decoding_keeps_what_was_said(engine: Engine) -> None:
    pending = engine.generate(chat("Speak for long."), max_tokens=4000)
    said = ""
    for event in pending.events():
        if isinstance(event, Token):
            said += event.text
            pending.cancel()
    done = pending.result()
    assert isinstance(done, Done)
    assert done.reason is Reason.CANCELLED
    assert 0 < done.timings.generated_tokens < 4000
    assert done.text.startswith(said.rstrip("\ufffd"))
    assert works(engine)


def test_cancel_of_one_leaves_the_others(engine: Engine) -> None:
    options = {"sampling": GREEDY, "max_tokens": 300, "stream": False, "reuse": Reuse.FIXED}
    pending = [engine.generate(chat(f"Question {n}"), **options) for n in range(4)]  # type: ignore[arg-type]
    pending[1].cancel()
    results = [one.result() for one in pending]
    assert [one.reason for one in results if isinstance(one, Done)] == [
        Reason.MAX_TOKENS,
        Reason.CANCELLED,
        Reason.MAX_TOKENS,
        Reason.MAX_TOKENS,
    ]


def test_cancel_while_waiting_for_a_slot(engine: Engine) -> None:
    running = [engine.generate(chat(f"Question {n}"), max_tokens=900, stream=False) for n in range(4)]
    waiting = engine.generate(chat("Too late?"), max_tokens=5)
    waiting.cancel()
    done = waiting.result()
    assert isinstance(done, Done)
    assert (done.reason, done.text) == (Reason.CANCELLED, "")
    for one in running:
        one.cancel()
        one.result()
    assert works(engine)


def test_cancelled_score_says_so(engine: Engine) -> None:
    engine.open(ContextOptions(n_ctx=4096, threads=1))
    busy = engine.generate(chat("Busy."), max_tokens=2000, stream=False)
    pending = [engine.score(chat(f"{'word ' * 500} {n}"), CANDIDATES) for n in range(6)]
    pending[-1].cancel()
    with pytest.raises(StoppedError):
        pending[-1].result()
    busy.cancel()
    busy.result()
    assert works(engine)


def test_cancel_during_a_long_prompt_leaves_the_cache_usable(engine: Engine) -> None:
    """Stopped at whatever point of the prefill, the same question then gives the same answer as before."""
    long = chat("word " * 1700, system="A long prompt.")
    engine.open(ContextOptions(n_ctx=8192, n_seq_max=2, threads=1))
    wanted = engine.generate(long, sampling=GREEDY, max_tokens=8, reuse=Reuse.FIXED).result()
    for pause in (0.0, 0.01, 0.03):
        pending = engine.generate(long, sampling=GREEDY, max_tokens=8, reuse=Reuse.FIXED)
        time.sleep(pause)
        pending.cancel()
        pending.result()
    again = engine.generate(long, sampling=GREEDY, max_tokens=8, reuse=Reuse.FIXED).result()
    assert isinstance(wanted, Done)
    assert isinstance(again, Done)
    assert again.text == wanted.text


def test_cancelling_what_has_ended_harms_nothing(engine: Engine) -> None:
    pending = engine.generate(chat("Short."), max_tokens=1)
    pending.result()
    pending.cancel()
    assert works(engine)


def test_the_native_abort_ends_a_batch_and_the_context_goes_on(tiny_gguf: Path) -> None:
    weights = Weights(str(tiny_gguf), gpu_layers=0, on_progress=lambda _: None)
    context = Context(weights, n_ctx=512, n_seq=1, unified=True, n_batch=256, threads=1, kv_type="f16", n_outputs=4)
    feed = Feed(0, 0, [5] * 200, [199])
    context.abort_requested = True
    assert context.decode([feed]) is False
    context.abort_requested = False
    context.drop(0)
    assert context.decode([feed]) is True
    context.close()
    weights.close()


class Switch:
    abort_requested = False


def test_a_batch_is_aborted_only_when_all_it_serves_are_cancelled() -> None:
    cancellations, switch = Cancellations(), Switch()
    with cancellations.computing(switch, frozenset({1, 2})) as go:
        assert go
        cancellations.request(1)
        assert not switch.abort_requested
        cancellations.request(2)
        assert switch.abort_requested
    with cancellations.computing(switch, frozenset({1, 2})) as go:
        assert not go
    cancellations.forget(1)
    with cancellations.computing(switch, frozenset({1, 2})) as go:
        assert go
        assert not switch.abort_requested


def test_cancel_comes_from_any_thread(engine: Engine) -> None:
    pending = engine.generate(chat("Threads."), max_tokens=4000)
    threading.Timer(0.05, pending.cancel).start()
    done = pending.result()
    assert isinstance(done, Done)
    assert done.reason is Reason.CANCELLED
