"""What is measured is the same work on both sides: run here on the tiny model, without a clock."""

from pathlib import Path

import pytest

from benchmarks import decode_many, second_turn
from benchmarks.companion import Companion
from benchmarks.decode_one import GENERATED, bare_turn, streamed
from benchmarks.generate_pubmedqa import as_dicts
from benchmarks.program import bench
from benchmarks.score_rate import prefilled, scored
from benchmarks.setup import Setup, distinct, rendered, shortened
from medlora_edge.errors import EngineError

N_CTX = 4096


@pytest.fixture
def setup(tiny_gguf: Path, tmp_path: Path) -> Setup:
    return Setup(tiny_gguf, threads=1, rounds=1, workplace=tmp_path)


def test_bare_loop_answers_the_prompt_that_the_engine_answers(setup: Setup) -> None:
    (chat,) = setup.chats(1)
    chat = shortened(chat, 300)
    with setup.engine(n_ctx=N_CTX) as engine, setup.bare_loop(n_ctx=N_CTX) as bare:
        ours = streamed(engine, chat)
        other = bare_turn(bare.ask(text=rendered(chat), n=GENERATED))
    assert ours.prompt_tokens == other.prompt_tokens
    assert ours.generated_tokens == other.generated_tokens == GENERATED - 1
    assert min(ours.prefill_rate, ours.decode_rate, other.prefill_rate, other.decode_rate) > 0


def test_side_that_ends_is_an_error_and_not_a_wait(setup: Setup) -> None:
    with (
        Companion("benchmarks.bare_loop", setup.model, "not a number") as bare,
        pytest.raises(EngineError, match="ended with code 1"),
    ):
        bare.ask(text="", n=1)


def test_paper_way_answers_every_question(setup: Setup) -> None:
    chats = [as_dicts(shortened(chat, 100)) for chat in setup.chats(2)]
    with Companion("benchmarks.paper_way", setup.model, setup.threads) as paper:
        answers = paper.ask(chats=chats)
    assert 0 < answers["generated_tokens"] <= 2 * 256


def test_all_sequences_speak_at_once(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_many, "GENERATED", 800)  # the tiny model would be done between two looks
    chats = [shortened(distinct(chat, n), 100) for n, chat in enumerate(setup.chats(4))]
    with setup.engine(n_ctx=4 * N_CTX, n_seq_max=4) as engine:
        measured = decode_many.many(engine, chats)
    assert measured.rate > 0
    assert 0 < measured.before < measured.before + measured.steps < 800


def test_scoring_computes_the_shared_beginning_once(setup: Setup) -> None:
    chats = setup.chats(3)
    ours, other = scored(setup, chats), prefilled(setup, chats)
    assert ours.twice == 0
    assert ours.shared > 0
    assert ours.computed == other.computed - 2 * ours.shared


def test_second_turn_is_within_its_bar(setup: Setup) -> None:
    one, longer = second_turn.measure(setup)
    assert one.met is True
    assert one.value == one.bar
    assert longer.met is True


def test_program_is_run_and_its_own_memory_seen(setup: Setup) -> None:
    run = bench(setup, setup.workplace / "run", "--limit", 2, "--max-tokens", 4, "--full", "--parallel", 2)
    assert run.results["metrics"]["n"] == 2
    assert run.results["timings"]["generated_tokens"] == 8
    assert run.peak_rss_bytes > 10_000_000


def test_program_that_fails_is_an_error_in_its_words(setup: Setup) -> None:
    with pytest.raises(EngineError, match=r"code 2: .*--limit"):
        bench(setup, setup.workplace / "run", "--limit", "many")


def test_chats_are_different_from_their_first_words(setup: Setup) -> None:
    (chat,) = setup.chats(1)
    beginnings = {rendered(distinct(chat, number))[:40] for number in range(50)}
    assert len(beginnings) == 50
