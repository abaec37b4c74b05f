"""The self-test: the same tokens every time, whatever the settings are, and a failure with its code."""

import json
from pathlib import Path

import pytest

from medlora_edge.engine import Engine
from medlora_edge.engine.protocol import Event, Restarted
from medlora_edge.errors import EngineError, ExitCode
from medlora_edge.models import find
from medlora_edge.models.self_test import fixed_words, run_self_test
from tests.cli.program import run


def test_the_tokens_do_not_hang_on_settings_or_chance(tiny_gguf: Path, home: Path) -> None:
    first = json.loads(run("self-test", "--model", tiny_gguf, "--json").stdout)
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.toml").write_text('[engine]\nthreads = 2\nkv_type = "q8_0"\ncontext = 512\n')
    second = json.loads(run("self-test", "--model", tiny_gguf, "--json").stdout)
    assert first["answers"] == second["answers"]
    assert first["memory"]["needed_bytes"] == second["memory"]["needed_bytes"] > tiny_gguf.stat().st_size


def test_every_prompt_is_answered_in_tokens_and_text(tiny_gguf: Path) -> None:
    told = json.loads(run("self-test", "--model", tiny_gguf, "--json").stdout)
    words = fixed_words()
    assert tuple(answer["prompt"] for answer in told["answers"]) == words.prompts
    assert all(1 <= len(answer["tokens"]) <= words.max_tokens for answer in told["answers"])
    assert any(answer["text"] for answer in told["answers"])
    assert told["engine"]["variant"]


def test_the_shipped_model_answers_people_too() -> None:
    shown = run("self-test", "--model", "starter")
    assert shown.returncode == ExitCode.DONE
    assert shown.stdout.startswith("starter, sha256 ")
    assert shown.stdout.count("  tokens ") == len(fixed_words().prompts)


def test_a_variant_that_is_not_there_is_refused() -> None:
    refused = run("self-test", "--model", "starter", "--variant", "none-such")
    assert refused.returncode == ExitCode.PLATFORM
    assert "Traceback" not in refused.stderr


def test_an_engine_that_dies_on_the_way_is_no_answer(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_self: object) -> list[Event]:
        return [Restarted(id=1, what="the engine died (SIGILL)")]

    monkeypatch.setattr("medlora_edge.engine.pending.Pending.events", dies)
    monkeypatch.setattr(Engine, "load", lambda *_args, **_options: None)
    monkeypatch.setattr(Engine, "open", lambda *_args: None)
    with Engine() as engine, pytest.raises(EngineError, match="SIGILL"):
        run_self_test(engine, find(str(tiny_gguf)))
