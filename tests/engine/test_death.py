"""The engine dies, hangs or falls silent: the parent lives, says why, and the questions go on."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from medlora_edge.engine import ContextOptions, Done, Engine, Scored
from medlora_edge.engine.child import Patience
from medlora_edge.engine.client import GIVE_UP
from medlora_edge.engine.protocol import Restarted, Token
from medlora_edge.errors import EngineError, MedloraError, StoppedError
from tests.engine.chats import CANDIDATES, GREEDY, chat

impatient = pytest.mark.parametrize("patience", [Patience(silence=2, batch=60, check=0.1)], ids=["impatient"])


@pytest.fixture
def patience() -> Patience:
    """Longer than a busy machine lets an engine wait for a processor; where silence is the subject, `impatient`."""
    return Patience(silence=30, batch=60, check=0.1)


@pytest.fixture
def mortal(tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: Patience) -> Iterator[Engine]:
    monkeypatch.setattr("medlora_edge.engine.client.BACK_OFF", (0.0,) * GIVE_UP)
    with Engine(log=tmp_path / "engine.log", patience=patience) as engine:
        engine.load(tiny_gguf)
        engine.open(ContextOptions(n_ctx=16384, n_seq_max=4, threads=1))
        yield engine


def strike(engine: Engine, number: signal.Signals = signal.SIGKILL) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS])
def test_questions_in_flight_are_asked_once_more(mortal: Engine, number: signal.Signals) -> None:
    pending = [mortal.generate(chat(f"Question {n}"), max_tokens=3000, sampling=GREEDY) for n in range(3)]
    next(event for event in pending[0].events() if isinstance(event, Token))
    strike(mortal, number)
    restarts = [event for event in pending[0].events() if isinstance(event, Restarted)]
    assert len(restarts) == 1
    assert number.name in restarts[0].what
    assert all(isinstance(one.result(), Done) for one in pending)


def test_the_second_death_of_one_question_is_its_last(mortal: Engine) -> None:
    pending = mortal.generate(chat("Fatal."), max_tokens=3000)
    with pytest.raises(EngineError, match="SIGKILL"):
        for event in pending.events():
            if isinstance(event, Token):
                strike(mortal)
        pending.result()
    assert isinstance(mortal.generate(chat("The next one."), max_tokens=2).result(), Done)


def test_a_death_while_idle_costs_nothing(mortal: Engine) -> None:
    mortal.open(ContextOptions(n_ctx=4096, threads=1))
    before = mortal.score(chat("Same?"), CANDIDATES).result()
    strike(mortal)
    after = mortal.score(chat("Same?"), CANDIDATES).result()
    assert isinstance(before, Scored)
    assert isinstance(after, Scored)
    assert after.logprobs == before.logprobs


@impatient
def test_a_stopped_process_is_found_out_and_replaced(mortal: Engine) -> None:
    pending = mortal.generate(chat("Hang."), max_tokens=500)
    strike(mortal, signal.SIGSTOP)
    restarts = [event.what for event in pending.events() if isinstance(event, Restarted)]
    assert len(restarts) == 1
    assert "no sign of life" in restarts[0]
    assert isinstance(pending.result(), Done)


def test_deaths_in_a_row_end_in_an_error_not_in_a_loop(mortal: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    pending = [mortal.generate(chat(f"Fatal {n}."), max_tokens=3000) for n in range(4)]
    for one in pending:
        with pytest.raises(EngineError):
            for event in one.events():
                if isinstance(event, Token) and mortal.pid:  # a token of before the last death finds nobody to strike
                    strike(mortal)
            one.result()
    with pytest.raises(EngineError, match="in a row"):
        mortal.generate(chat("Once more."))


def test_a_load_is_tried_once_more(mortal: Engine, tiny_gguf: Path) -> None:
    strike(mortal, signal.SIGSTOP)
    threading.Timer(0.3, strike, [mortal]).start()
    assert mortal.load(tiny_gguf).n_vocab == 2048


@impatient
def test_silence_while_loading_is_found_out(mortal: Engine, tiny_gguf: Path) -> None:
    strike(mortal, signal.SIGSTOP)
    assert mortal.load(tiny_gguf).n_vocab == 2048


def test_opening_and_counting_are_tried_once_more(mortal: Engine) -> None:
    strike(mortal, signal.SIGSTOP)
    threading.Timer(0.3, strike, [mortal]).start()
    assert mortal.open(ContextOptions(n_ctx=2048, threads=1)).n_ctx == 2048
    strike(mortal)
    assert mortal.count([chat("x")]).tokens[0] > 1


def test_a_load_can_be_given_up(mortal: Engine, tiny_gguf: Path) -> None:
    strike(mortal, signal.SIGSTOP)
    threading.Timer(0.3, mortal.cancel_load).start()
    with pytest.raises(StoppedError):
        mortal.load(tiny_gguf)
    assert mortal.load(tiny_gguf).n_vocab == 2048


def test_a_model_that_is_gone_at_the_restart_fails_the_questions_not_the_parent(
    mortal: Engine, tiny_gguf: Path, tmp_path: Path
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(tiny_gguf.read_bytes())
    mortal.load(file)
    mortal.open(ContextOptions(n_ctx=4096, threads=1))
    pending = mortal.generate(chat("Too long to finish."), max_tokens=3000)
    file.unlink()
    strike(mortal)
    with pytest.raises(EngineError, match="cannot load"):
        pending.result()
    with pytest.raises(EngineError, match="cannot load"):
        mortal.generate(chat("The next one.")).result()
    mortal.load(tiny_gguf)


@impatient
def test_a_cancelled_question_is_not_asked_again_after_a_death(mortal: Engine) -> None:
    pending = mortal.generate(chat("Never mind."), max_tokens=3000)
    next(pending.events())
    strike(mortal, signal.SIGSTOP)
    pending.cancel()
    with pytest.raises(StoppedError):
        pending.result()


@impatient
def test_silence_while_scoring_costs_nothing(mortal: Engine) -> None:
    mortal.open(ContextOptions(n_ctx=4096, threads=1))
    pending = [mortal.score(chat(f"{'word ' * 400} {n}"), CANDIDATES) for n in range(3)]
    strike(mortal, signal.SIGSTOP)
    assert all(isinstance(one.result(), Scored) for one in pending)


def test_the_engine_ends_with_its_parent(tmp_path: Path, tiny_gguf: Path) -> None:
    engine = Engine(log=tmp_path / "engine.log")
    engine.load(tiny_gguf)
    assert engine.pid is not None
    child = psutil.Process(engine.pid)
    engine.close()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


def test_requests_after_close_are_refused(tmp_path: Path) -> None:
    engine = Engine(log=tmp_path / "engine.log")
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.generate(chat("x"))


def test_log_is_private_and_holds_no_prompt(mortal: Engine, tmp_path: Path) -> None:
    mortal.generate(chat("A secret phrase nobody may log."), max_tokens=3).result()
    with pytest.raises(MedloraError):
        mortal.generate(chat("A secret phrase nobody may log."), grammar="root ::= (").result()
    log = tmp_path / "engine.log"
    assert "secret phrase" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
