"""The record of expected tokens, made with the real program, is what the laptop's check reads and compares."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_bundle import expected_tokens
from medlora_edge.engine.backends import NATIVE, Variant
from medlora_edge.errors import EngineError
from medlora_setup.qualification import Outcome
from medlora_setup.token_check import check_tokens, read_recorded
from tests.cli.program import PROGRAM, run

ECHO = """#!/bin/sh
[ "$5" != broken ] || { echo 'error: it broke' >&2; exit 7; }
printf '{"model": {"sha256": "%064d"}, "answers": [{"tokens": [1]}, {"tokens": [2]}, {"tokens": [%d]}]}' 7 ${#5}
"""


def tree(folder: Path, program: str) -> Path:
    """An assembled tree's launcher."""
    launcher = folder / "tree" / "bin" / "medlora-edge"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(program)
    launcher.chmod(0o755)
    return launcher


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tree(tmp_path, f'#!/bin/sh\nexec "{PROGRAM}" "$@"\n')


def test_the_laptop_finds_what_the_builder_recorded(program: Path, tiny_gguf: Path, tmp_path: Path) -> None:
    model = Path(shutil.copy(tiny_gguf, tmp_path / "Tiny_2.gguf"))
    expected_tokens.write(program, tmp_path / "expected.json", [model])
    starter, extra = read_recorded(tmp_path / "expected.json")
    assert (starter.name, extra.name) == ("starter", "tiny_2")
    assert extra.sha256 == sha256(tiny_gguf.read_bytes()).hexdigest()
    assert set(starter.answers) == set(extra.answers) == {NATIVE}
    told = json.loads(run("self-test", "--model", "starter", "--json").stdout)
    assert check_tokens(starter, told).outcome is Outcome.PASSED
    assert "another file" in check_tokens(extra, told).found


def test_two_records_of_one_machine_are_the_same_bytes(program: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        expected_tokens.write(program, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def has_variants(monkeypatch: pytest.MonkeyPatch, **scores: int) -> None:
    found = tuple(Variant(name, Path(f"{name}.so"), score) for name, score in scores.items())
    monkeypatch.setattr(expected_tokens, "variants", lambda _folder: found)


def test_each_variant_has_its_record_or_the_reason_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_variants(monkeypatch, haswell=3, x64=1, zen4=0)
    expected_tokens.write(tree(tmp_path, ECHO), tmp_path / "expected.json")
    (starter,) = read_recorded(tmp_path / "expected.json")
    assert starter.answers == {"haswell": ((1,), (2,), (7,)), "x64": ((1,), (2,), (3,))}
    assert starter.not_recorded == {"zen4": expected_tokens.CANNOT_RUN}


def test_a_large_model_is_listed_without_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_variants(monkeypatch, x64=1)
    monkeypatch.setattr(expected_tokens, "SMALL_BYTES", 2)
    (tmp_path / "large.gguf").write_bytes(b"GGUF")
    expected_tokens.write(tree(tmp_path, ECHO), tmp_path / "expected.json", [tmp_path / "large.gguf"])
    _, large = read_recorded(tmp_path / "expected.json")
    assert large.sha256 == sha256(b"GGUF").hexdigest()
    assert (dict(large.answers), large.not_recorded) == ({}, {"x64": expected_tokens.TOO_LARGE})


def test_a_program_that_does_not_answer_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_variants(monkeypatch, broken=1)
    with pytest.raises(EngineError, match="variant broken: error: it broke"):
        expected_tokens.write(tree(tmp_path, ECHO), tmp_path / "expected.json")
    assert not (tmp_path / "expected.json").exists()
