"""`--adapter` as a user gives it: named in what is printed, refused in words with a code."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import run
from tests.lora import Pairs, random_pairs, write_adapter

QUERY = "blk.0.attn_q.weight"


@pytest.fixture
def pairs(tiny_gguf: Path) -> Pairs:
    return random_pairs(tiny_gguf, [QUERY])


def test_ask_names_the_adapter(tiny_gguf: Path, pairs: Pairs, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "stage-2.gguf", pairs)
    ask = ("ask", "What is sepsis?", "--model", tiny_gguf, "--max-tokens", "2", "--json")
    adapted, plain = run(*ask, "--adapter", adapter), run(*ask)
    assert adapted.returncode == plain.returncode == ExitCode.DONE, adapted.stderr
    content = adapter.read_bytes()
    assert json.loads(adapted.stdout)["adapter"] == {"name": "stage-2", "sha256": sha256(content).hexdigest()}
    assert json.loads(plain.stdout)["adapter"] is None


def test_bench_keeps_a_run_for_each_adapter(tiny_gguf: Path, pairs: Pairs, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "stage-2.gguf", pairs)
    bench = ("bench", "pubmedqa", "--model", tiny_gguf, "--mode", "score", "--limit", "3", "--json")
    adapted, plain = run(*bench, "--adapter", adapter), run(*bench)
    assert adapted.returncode == plain.returncode == ExitCode.DONE, adapted.stderr
    assert json.loads(adapted.stdout)["card"]["adapter"]["name"] == "stage-2"
    again = run(*bench, "--adapter", adapter)
    assert "this run is finished" in again.stderr
    assert json.loads(again.stdout) == json.loads(adapted.stdout)
    assert "stage-2" in run("bench", "list").stdout


def cut(path: Path, pairs: Pairs) -> None:
    write_adapter(path, pairs)
    path.write_bytes(path.read_bytes()[:-300])


def no_place(path: Path, pairs: Pairs) -> None:
    write_adapter(path, {"blk.7.attn_q.weight": pairs[QUERY]})


def wrong_shape(path: Path, pairs: Pairs) -> None:
    a, b = pairs[QUERY]
    write_adapter(path, {QUERY: (a[:, :128], b)})


def spoilt(path: Path, pairs: Pairs) -> None:
    a, b = pairs[QUERY]
    write_adapter(path, {QUERY: (a * float("nan"), b)})


@pytest.mark.parametrize("command", [("ask", "x"), ("bench", "pubmedqa")], ids=["ask", "bench"])
@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda path, pairs: None, ExitCode.USAGE, "no such file"),
        (lambda path, pairs: path.mkdir(), ExitCode.USAGE, "folder"),
        (cut, ExitCode.CORRUPT, f"{QUERY}.lora_b"),
        (no_place, ExitCode.CORRUPT, "blk.7.attn_q.weight"),
        (wrong_shape, ExitCode.CORRUPT, f"{QUERY}.lora_a"),
        (spoilt, ExitCode.CORRUPT, f"{QUERY}.lora_a"),
        (lambda path, pairs: write_adapter(path, pairs, architecture="qwen2"), ExitCode.CORRUPT, "'qwen2'"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_refused(
    command: tuple[str, ...],
    make: Callable[[Path, Pairs], object],
    code: ExitCode,
    words: str,
    tiny_gguf: Path,
    pairs: Pairs,
    tmp_path: Path,
) -> None:
    make(tmp_path / "a.gguf", pairs)
    failed = run(*command, "--model", tiny_gguf, "--adapter", tmp_path / "a.gguf")
    assert failed.returncode == code, failed.stderr
    assert words in failed.stderr
    assert "what to do" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_model_and_an_adapter_are_not_mistaken_for_each_other(tiny_gguf: Path, pairs: Pairs, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "a.gguf", pairs)
    for given in (("--model", tiny_gguf, "--adapter", tiny_gguf), ("--model", adapter)):
        refused = run("ask", "x", *given)
        assert refused.returncode == ExitCode.USAGE
        assert "--model" in refused.stderr
