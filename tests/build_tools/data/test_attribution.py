"""Whose data it is: every source of the shipped recipe is named, and each article is listed once with its licence."""

import gzip
import json
import random
from pathlib import Path

import pytest

from build_tools.data.attribution import article_list, attributions, hand_check
from build_tools.data.documents import Exchange
from build_tools.data.trials import SAMPLE, trials
from build_tools.manifest import sha256_of_file
from build_tools.pipeline.shipped import RECIPES
from build_tools.recipe import load
from build_tools.recipe.data_forms import TextData
from medlora_edge.errors import CorruptError

ARTICLE = {
    "pmcid": "PMC1",
    "pmid": "7",
    "license": "CC-BY-4.0",
    "year": 2015,
    "journal": "A  Journal",
    "title": "A\ttitle",
}


def write(path: Path, *records: dict[str, object]) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))
    return path


def test_every_source_of_the_starter_is_known() -> None:
    recipe = load(RECIPES / "starter.yaml", planned=True)
    sources = [data for stage in recipe.stages for data in stage.data]
    named = {
        digest for data in sources for digest in ((data.sha256 or ()) if isinstance(data, TextData) else (data.sha256,))
    }
    assert named == set(attributions())


def test_articles_are_listed_once_in_order(tmp_path: Path) -> None:
    other = {**ARTICLE, "pmcid": "PMC0", "license": "CC0-1.0"}
    listed = article_list([write(tmp_path / "a.jsonl.gz", ARTICLE, other), write(tmp_path / "b.jsonl.gz", ARTICLE)])
    assert [line.split("\t")[:3] for line in listed.splitlines()] == [
        ["pmcid", "pmid", "license"],
        ["PMC0", "7", "CC0-1.0"],
        ["PMC1", "7", "CC-BY-4.0"],
    ]
    assert listed.endswith("2015\tA Journal\tA title\n")


def test_an_article_without_a_licence_is_refused_with_its_line(tmp_path: Path) -> None:
    place = write(
        tmp_path / "a.jsonl.gz", ARTICLE, {name: value for name, value in ARTICLE.items() if name != "license"}
    )
    with pytest.raises(CorruptError, match="license") as refused:
        article_list([place])
    assert str(refused.value.where).endswith("line 2")


@pytest.mark.shared_data
def test_the_hand_checked_sample_is_the_one_that_its_command_prints(shared_data: Path) -> None:
    check, path = hand_check(), shared_data / "rct_abstracts" / "rct_abstracts.jsonl.gz"
    assert sha256_of_file(path) == check.file_sha256
    made = [item for item in trials(path) if isinstance(item, Exchange)]
    drawn = {int(item.id.split(":")[1]): item for item in random.Random(check.seed).sample(made, SAMPLE)}
    assert [one["record"] for one in check.questions] == sorted(drawn)
    for one in check.questions:
        item = drawn[int(one["record"])]
        assert (item.group, item.label) == (one["pmcid"], one["by_rule"])
    assert check.right == 48
