"""A LoRA adapter in the engine: what it changes, that it equals a merge, that it outlives a death."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.random_model import write_f16
from medlora_edge import models
from medlora_edge.engine import ContextOptions, Done, Engine, Reuse, Scored
from medlora_edge.engine.protocol import Token
from medlora_edge.errors import CorruptError, EngineError, MedloraError
from medlora_edge.models.adapter import check_adapter
from tests.engine.chats import CANDIDATES, GREEDY, chat
from tests.lora import matrices, merge, random_pairs, write_adapter
from tests.models.corpus import by_chance

WORDS = ("Does it help?", "Is aspirin of use after a stroke?")
MERGED_NATS = 0.03  # a merge rounds the sum of weights to F16; the adapters below move scores by 0.3 nats and more


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model before quantisation."""
    path = tmp_path_factory.mktemp("full") / "full.gguf"
    write_f16(path, "tiny", 0)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine process with nothing loaded."""
    monkeypatch.setattr("medlora_edge.engine.client.BACK_OFF", (0.0,) * 4)
    with Engine(log=tmp_path / "engine.log") as engine:
        yield engine


def scores(engine: Engine, model: Path, adapter: Path | None = None) -> list[dict[str, float]]:
    engine.load(model, adapter=adapter)
    engine.open(ContextOptions(n_ctx=4096, threads=1))
    answers = [engine.score(chat(words), CANDIDATES).result() for words in WORDS]
    return [answer.logprobs for answer in answers if isinstance(answer, Scored)]


def apart(some: list[dict[str, float]], others: list[dict[str, float]]) -> float:
    """Largest distance of two scores in nats."""
    pairs = zip(some, others, strict=True)
    return max(abs(one[label] - other[label]) for one, other in pairs for label in CANDIDATES)


def test_an_adapter_whose_b_is_zero_changes_nothing(bare: Engine, full: Path, tmp_path: Path) -> None:
    idle = write_adapter(tmp_path / "idle.gguf", random_pairs(full, matrices(full), strength=0.0))
    assert scores(bare, full, idle) == scores(bare, full)
    said = []
    for adapter in (None, idle):
        bare.load(full, adapter=adapter)
        bare.open(ContextOptions(n_ctx=4096, threads=1))
        answer = bare.generate(chat("Say it."), sampling=GREEDY, max_tokens=30).result()
        assert isinstance(answer, Done)
        said.append(answer.text)
    assert said[0] == said[1] != ""


def test_scores_are_those_of_the_merged_model(bare: Engine, full: Path, tmp_path: Path) -> None:
    pairs = random_pairs(full, matrices(full))
    adapter = write_adapter(tmp_path / "a.gguf", pairs)
    merged = scores(bare, merge(full, pairs, tmp_path / "merged.gguf"))
    adapted, plain = scores(bare, full, adapter), scores(bare, full)
    assert apart(adapted, merged) < MERGED_NATS
    assert apart(adapted, plain) > 10 * MERGED_NATS


@pytest.mark.parametrize("name", ["token_embd.weight", "output.weight", "blk.1.attn_q.weight", "blk.2.ffn_down.weight"])
def test_every_kind_of_matrix_is_adapted(bare: Engine, full: Path, tmp_path: Path, name: str) -> None:
    pairs = random_pairs(full, [name], strength=2.0)
    adapter = write_adapter(tmp_path / "a.gguf", pairs)
    merged = scores(bare, merge(full, pairs, tmp_path / "merged.gguf"))
    assert apart(scores(bare, full, adapter), merged) < MERGED_NATS
    assert apart(merged, scores(bare, full)) > 10 * MERGED_NATS


def test_every_sequence_of_a_batch_has_the_adapter(bare: Engine, full: Path, tmp_path: Path) -> None:
    pairs = random_pairs(full, matrices(full))
    adapter = write_adapter(tmp_path / "a.gguf", pairs)
    first = []
    for model, adapted in ((full, adapter), (merge(full, pairs, tmp_path / "merged.gguf"), None)):
        bare.load(model, adapter=adapted)
        bare.open(ContextOptions(n_ctx=4096, n_seq_max=4, threads=1))
        asked = [
            bare.generate(chat(f"Question {n}?"), sampling=GREEDY, max_tokens=1, reuse=Reuse.FIXED) for n in range(4)
        ]
        first.append([event for one in asked for event in one.events() if isinstance(event, Token)])
    for ours, theirs in zip(*first, strict=True):
        assert ours.token == theirs.token
        assert ours.logprob == pytest.approx(theirs.logprob, abs=MERGED_NATS)


def test_a_quantised_model_takes_an_adapter_in_f16(bare: Engine, tiny_gguf: Path, tmp_path: Path) -> None:
    pairs = random_pairs(tiny_gguf, matrices(tiny_gguf))
    wide = write_adapter(tmp_path / "f32.gguf", pairs)
    narrow = write_adapter(tmp_path / "f16.gguf", pairs, stored_as="float16")
    adapted = scores(bare, tiny_gguf, narrow)
    moved = apart(adapted, scores(bare, tiny_gguf))
    assert moved > 10 * MERGED_NATS
    assert apart(adapted, scores(bare, tiny_gguf, wide)) < moved / 10


def test_the_adapter_is_there_again_after_a_death(bare: Engine, tiny_gguf: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "a.gguf", random_pairs(tiny_gguf, ["blk.0.attn_q.weight"]))
    before = scores(bare, tiny_gguf, adapter)[0]
    assert bare.pid is not None
    os.kill(bare.pid, signal.SIGKILL)
    after = bare.score(chat(WORDS[0]), CANDIDATES).result()
    assert isinstance(after, Scored)
    assert after.logprobs == before


def test_an_adapter_that_is_gone_at_the_restart_fails_the_questions(
    bare: Engine, tiny_gguf: Path, tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "a.gguf", random_pairs(tiny_gguf, ["blk.0.attn_q.weight"]))
    scores(bare, tiny_gguf, adapter)
    adapter.unlink()
    assert bare.pid is not None
    os.kill(bare.pid, signal.SIGKILL)
    with pytest.raises(MedloraError):
        bare.score(chat(WORDS[0]), CANDIDATES).result()
    assert scores(bare, tiny_gguf)


def test_what_llama_cpp_refuses_is_said_in_words(bare: Engine, tiny_gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="cannot load this adapter"):
        bare.load(tiny_gguf, adapter=tiny_gguf)
    with pytest.raises(CorruptError, match="cannot load this adapter"):
        bare.load(tiny_gguf, adapter=tmp_path / "absent.gguf")
    assert scores(bare, tiny_gguf)


def test_damaged_adapters_never_take_the_parent_down(bare: Engine, tiny_gguf: Path, tmp_path: Path) -> None:
    file = write_adapter(tmp_path / "a.gguf", random_pairs(tiny_gguf, ["blk.0.attn_q.weight", "output.weight"]))
    front = models.read_header(file).data_start
    sound, model, passed = file.read_bytes(), models.read_header(tiny_gguf), 0
    for name, damaged in by_chance(sound, seed=3, front=front):
        file.write_bytes(damaged)
        try:
            check_adapter(models.read_header(file), model)
        except MedloraError:
            continue
        passed += 1
        try:
            assert scores(bare, tiny_gguf, file), name
        except EngineError as error:
            pytest.fail(f"{name}: the check let through what kills llama.cpp: {error}")
    assert passed > 0
