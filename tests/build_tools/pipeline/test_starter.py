"""The model that ships: its chain holds, its file is small and really quantised, its card says what it must."""

from pathlib import Path
from typing import Any

import pytest

from build_tools.pipeline.card import render
from build_tools.pipeline.measured import KEPT_BAR, VALID_BAR
from build_tools.pipeline.ship import LARGEST
from build_tools.pipeline.verify import verify
from medlora_edge import models
from medlora_edge.models import Manifest

STARTER = Path(__file__).parents[3] / "models" / "starter"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return models.read_manifest(STARTER)


@pytest.mark.shared_data
def test_its_chain_is_recomputed_down_to_the_data(shared_data: Path) -> None:
    said: list[str] = []
    verify(STARTER, said.append)
    assert "starter.yaml: the recipe that was run" in said
    assert sum(line.startswith("data:") and line.endswith(": intact") for line in said) == 5
    assert said[-1] == "card.md: rendered from the manifest"


def test_its_file_is_small_and_has_real_q3_k_tensors(manifest: Manifest) -> None:
    assert (STARTER / manifest.file).stat().st_size <= LARGEST
    assert manifest.quantisation == "Q3_K_L"
    assert manifest.tensor_types["Q3_K"] > sum(manifest.tensor_types[name] for name in ("Q5_K", "Q6_K"))


def test_its_card_says_what_it_is_whose_data_it_saw_and_how_it_was_measured(manifest: Manifest) -> None:
    card = (STARTER / "card.md").read_text(encoding="utf-8")
    said = ("not for clinical use", "models add FILE", "articles.tsv", "read by hand", "Wilson", "verbatim")
    data = ("MedQuAD", "PubMedQA", "MedQA", "randomised trials", "CC BY 4.0", "MIT")
    assert [words for words in (*said, *data) if words not in card] == []
    assert (
        "the text of their articles in\nanother row of this table, and the text that the tokenizer was made from"
        in card
    )
    assert "| tokens seen | 8,170,524 | 1,218,974 |" in card
    assert "| MIT | 500 | 1,532,286 | 9.0 |" in card
    articles = (STARTER / "articles.tsv").read_text(encoding="utf-8").splitlines()
    listed: Any = manifest.lineage["articles"]
    assert len(articles) == listed["count"] + 1
    licences = {line.split("\t")[2] for line in articles[1:]}
    assert all(licence.startswith(("CC-BY-", "CC0", "PDM")) and "NC" not in licence for licence in licences)


def test_a_figure_just_below_its_bar_does_not_look_like_it(manifest: Manifest) -> None:
    measured: Any = manifest.bench["pubmedqa"]
    bars = [{**measured["bars"][0], "value": 0.98999}]
    card = render(manifest.model_copy(update={"bench": {"pubmedqa": {**measured, "bars": bars}}}))
    assert "| strict valid rate, mode generate | 98.9 % | at least 99.0 % | **missed** |" in card


def test_its_run_has_a_card_too_before_it_is_measured_and_shipped(manifest: Manifest) -> None:
    made = {name: value for name, value in manifest.lineage.items() if name != "articles"}
    card = render(manifest.model_copy(update={"lineage": made, "bench": {}}))
    assert "Only the gates above were measured" in card
    assert "articles.tsv" not in card


def test_it_was_measured_nine_times_and_the_required_bars_are_met(manifest: Manifest) -> None:
    measured: Any = manifest.bench["pubmedqa"]
    assert (measured["items"], len(measured["runs"])) == (500, 9)
    assert [bar["limit"] for bar in measured["bars"]] == [VALID_BAR, KEPT_BAR]
    assert all(bar["value"] >= bar["limit"] for bar in measured["bars"])
    assert measured["runs"][-1]["sha256"] == manifest.sha256
