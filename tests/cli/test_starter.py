"""The program as it is installed, without any other model: it answers with the one that ships, and says so."""

import json
from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from medlora_edge.notice import DEMONSTRATION
from tests.cli.program import run

ASK = ("ask", "What is sepsis?", "--max-tokens", "12", "--temperature", "0")


def test_ask_answers_with_it_by_default() -> None:
    asked = run(*ASK, "--json")
    assert asked.returncode == ExitCode.DONE, asked.stderr
    record = json.loads(asked.stdout)
    assert (record["model"]["name"], record["model"]["untrained"]) == ("starter", False)
    assert record["timings"]["generated_tokens"] > 0
    assert DEMONSTRATION in asked.stderr


def test_bench_measures_it_by_default() -> None:
    measured = run("bench", "pubmedqa", "--limit", "3", "--json")
    assert measured.returncode == ExitCode.DONE, measured.stderr
    model = json.loads(measured.stdout)["card"]["model"]
    assert (model["name"], model["quantisation"]) == ("starter", "Q3_K_L")
    assert (model["untrained"], model["demonstration"]) == (False, True)
    shown = run("bench", "pubmedqa", "--limit", "3")
    assert "starter on PubMedQA" in shown.stdout
    assert DEMONSTRATION in " ".join(shown.stdout.split())


@pytest.mark.parametrize("command", [("models", "list"), ("models", "info"), ("doctor",)])
def test_every_page_that_names_it_says_what_it_is_and_what_installs_a_real_one(command: tuple[str, ...]) -> None:
    shown = run(*command)
    assert shown.returncode == ExitCode.DONE, shown.stdout + shown.stderr
    assert "starter" in shown.stdout
    assert DEMONSTRATION in shown.stdout


def test_an_installed_model_takes_its_place(tiny_gguf: Path) -> None:
    assert run("models", "default").stdout == "starter\n"
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE
    assert run("models", "default").stdout == "mine\n"
