"""The words of the model page, from what was found out about the models."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from medlora_edge import models
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models import Adapter, AdapterFile, Entry, FileState, MemoryPlan, Surveyed
from medlora_edge.models.units import MIB
from medlora_edge.tui.about_models import model_results, model_rows
from medlora_edge.tui.about_models.model_rows import InUse, Row, rows
from tests.tui.apps import a_model

PLAN = MemoryPlan(
    n_ctx=4096, weights=900 * MIB, kv=128 * MIB, compute=20 * MIB, overhead=456 * MIB, available=5120 * MIB,
    largest_context=8192,
)  # fmt: skip
BESIDE = Path("/absent/cardiology.gguf")


@pytest.fixture(autouse=True)
def files_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file lies behind these models."""
    monkeypatch.setattr("medlora_edge.models.words.file_state", lambda _: FileState.INTACT)


def found(name: str = "starter", **changes: object) -> Surveyed:
    whole = Surveyed(Entry(name, a_model(name)), FileState.INTACT, PLAN)
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_a_row_says_in_two_lines_what_decides() -> None:
    row = Row(found())
    assert model_rows.title(row) == "starter"
    assert model_rows.facts(row) == "Q3_K_L \u00b7 1 bytes \u00b7 needs 1.5 GiB, fits \u00b7 intact"


def test_too_little_memory_is_said_with_what_is_free() -> None:
    row = Row(found(memory=replace(PLAN, available=1000 * MIB, largest_context=0)))
    assert "needs 1.5 GiB, only 1000.0 MiB free" in model_rows.facts(row)
    assert model_rows.details(row)["memory"].endswith("free. It does not fit: not even the weights do.")


def test_memory_is_told_in_its_parts() -> None:
    told = model_rows.details(Row(found()))
    assert told["memory"] == (
        "1.5 GiB needed (weights 900.0 MiB, KV cache 128.0 MiB, compute buffers 20.0 MiB, "
        "program and reserve 456.0 MiB), 5.0 GiB free. It fits; so do contexts of up to 8,192 tokens."
    )
    assert told["context"] == "4,096 tokens here, 4,096 at most"
    assert told["licence"] == "not stated"


@pytest.mark.parametrize("state", FileState)
def test_every_state_of_a_file_has_words(state: FileState) -> None:
    assert model_rows.STATES[state] in model_rows.details(Row(found(state=state)))["SHA-256"]


def test_an_unusable_model_says_why_and_is_still_told() -> None:
    row = Row(found(problem=CorruptError("the file is empty", fix="get it again"), memory=None))
    assert model_rows.facts(row) == "cannot be used: the file is empty"
    assert "memory" not in model_rows.details(row)


def test_an_entry_without_manifest_has_its_name() -> None:
    row = Row(Surveyed(Entry("broken", None), problem=CorruptError("no manifest")))
    assert (model_rows.title(row), model_rows.details(row)) == ("broken", {"model": "broken"})


def test_adapters_stand_behind_their_model_and_the_one_in_use_is_marked() -> None:
    model = a_model()
    adapters = (AdapterFile(BESIDE), AdapterFile(Path("/absent/wrong.gguf"), UsageError("it is a model")))
    survey = [found(adapters=adapters), found("other", entry=Entry("other", replace(a_model(), path=Path("/other"))))]
    plain = rows(survey, InUse(model, default="other"))
    assert [row.used for row in plain] == [True, False, False, False]
    assert plain[3].default
    adapted = rows(survey, InUse(model, Adapter("cardiology", BESIDE, "ab", 1)))
    assert [row.used for row in adapted] == [False, True, False, False]
    assert model_rows.title(adapted[1]) == "+ adapter cardiology.gguf \u00b7 in use"
    assert model_rows.facts(adapted[2]) == "cannot be used: it is a model"


def test_the_highlight_stays_with_its_row_else_goes_to_the_one_in_use() -> None:
    listed = rows([found("a"), found("b")], InUse())
    used = (listed[0], replace(listed[1], used=True))
    assert model_rows.at(listed, listed[1].place) == 1
    assert model_rows.at(used, ("gone", None)) == 1
    assert model_rows.at(listed, None) == 0


def test_marks_come_first_in_the_details() -> None:
    model = a_model()
    marked = replace(model, manifest=model.manifest.model_copy(update={"demonstration": True, "untrained": True}))
    row = Row(found(entry=Entry("starter", marked)))
    assert model_rows.title(row) == "starter \u00b7 untrained \u00b7 demonstration"


def measured(**changes: object) -> dict[str, JsonValue]:
    run = {
        "model": "ships",
        "sha256": "ab" * 32,
        "mode": "score",
        "accuracy": 0.548,
        "accuracy_interval": [0.504, 0.591],
        "strict_valid_rate": 1.0,
        "strict_valid_interval": [0.992, 1.0],
    }
    other = {**run, "sha256": "cd" * 32, "accuracy": 0.99}
    whole = {"items": 500, "majority": {"accuracy": 0.552}, "runs": [other, {**run, **changes}], "engine": "any"}
    return {"pubmedqa": whole, "held_out_loss": {}}  # type: ignore[dict-item]


def with_bench(bench: dict[str, JsonValue], adapter: AdapterFile | None = None) -> Row:
    model = a_model()
    manifest = model.manifest.model_copy(update={"bench": bench})
    return Row(found(entry=Entry("starter", replace(model, manifest=manifest))), adapter)


def test_what_the_manifest_measured_of_this_very_file_is_told() -> None:
    assert model_rows.details(with_bench(measured()))["PubMedQA"].split("\n  ") == [
        "500 questions; in brackets the 95 % interval",
        "score: accuracy 54.8 % (50.4 to 59.1), valid answers 100.0 % (99.2 to 100.0)",
        "the commonest answer to every question: accuracy 55.2 %",
    ]


@pytest.mark.parametrize(
    "bench",
    [
        {},
        {"pubmedqa": None},
        {"pubmedqa": "98 %"},
        {"pubmedqa": {"items": 500, "runs": []}},
        measured(sha256="ef" * 32),
        measured(accuracy=54.8),
        measured(accuracy=float("nan")),
        measured(accuracy_interval=[0.5]),
        measured(mode="x" * 1000),
    ],
)
def test_a_manifest_without_figures_that_read_tells_none(bench: dict[str, JsonValue]) -> None:
    assert "PubMedQA" not in model_rows.details(with_bench(bench))


def test_figures_of_a_model_are_not_those_of_its_adapter() -> None:
    adapter = AdapterFile(BESIDE, None)
    assert "PubMedQA" not in model_rows.details(with_bench(measured(), adapter))


def test_the_shipped_model_tells_its_figures() -> None:
    (entry,) = models.shipped()
    assert entry.model
    lines = tuple(model_results.lines(entry.model.manifest))
    assert [line.split(":")[0] for line in lines[1:-1]] == ["score", "constrained", "generate"]
