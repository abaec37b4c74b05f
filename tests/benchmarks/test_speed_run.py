"""A run of measurements: which are chosen, what is written, which exit code says what."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, run
from benchmarks.figure import Figure, amount
from benchmarks.setup import Setup
from medlora_edge.errors import EngineError


@pytest.fixture
def results(tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "model_file", lambda: tiny_gguf)
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def start(monkeypatch: pytest.MonkeyPatch, measure: Callable[[Setup], Sequence[Figure]], *words: str) -> int:
    monkeypatch.setattr(run, "MEASUREMENTS", {"one": measure, "other": lambda setup: []})
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    with pytest.raises(SystemExit) as ended:
        run.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def written(results: Path) -> dict[str, Any]:
    (path,) = results.iterdir()
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_document_holds_both_sides_the_bar_and_where_it_was_measured(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(monkeypatch, lambda setup: [amount("x", "s", [1.0, 2.0, 3.0], at_most=2.0)]) == 0
    content = written(results)
    (figure,) = content["figures"]
    assert figure["measurement"] == "one"
    assert (figure["value"], figure["bar"], figure["sense"], figure["met"]) == (2.0, 2.0, "at_most", True)
    assert figure["ours"] == [1.0, 2.0, 3.0]
    assert content["machine"]["cpu"]
    assert content["software"]["llama-cpp-python"] == "0.3.36"
    assert content["command"] == "python -m benchmarks"
    assert content["failures"] == {}


def test_missed_bar_ends_with_5_after_everything_was_told(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(monkeypatch, lambda setup: [amount("slow thing", "s", [3.0], at_most=2.0)]) == 5
    out, err = capsys.readouterr()
    assert "MISSED" in out
    assert "not reached: slow thing" in err
    assert written(results)["figures"]


def test_measurement_that_fails_does_not_stop_the_others(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(setup: Setup) -> Sequence[Figure]:
        raise EngineError("it went away")

    assert start(monkeypatch, fails) == 5
    assert "measuring other" in capsys.readouterr().err
    assert written(results)["failures"] == {"one": "it went away"}


def test_only_what_is_named_is_measured(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(setup: Setup) -> Sequence[Figure]:
        raise AssertionError

    assert start(monkeypatch, fails, "other") == 0
    assert written(results)["figures"] == []


def test_unknown_name_is_told_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(monkeypatch, lambda setup: [], "fastness") == 2
    assert "choose from one, other" in capsys.readouterr().err


def test_disturbed_figure_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    report.show("one", [Figure("x", "s", 1.0, others=0.25)])
    assert "DISTURBED" in capsys.readouterr().out


def test_figure_without_a_value_shows_why(capsys: pytest.CaptureFixture[str]) -> None:
    report.show("one", [Figure("x", "s", None, 4.0, note="later")])
    assert "later" in capsys.readouterr().out
