"""Stages follow each other as the recipe says: adapters merged before the next one, or stacked below it [R12]."""

from pathlib import Path

import pytest

from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.pipeline.lineage import lineage
from build_tools.pipeline.run import Phase, run
from build_tools.pipeline.verify import verify
from build_tools.recipe import load
from tests.build_tools.pipeline.small_recipe import STAGE, write

Records = dict[str, StepRecord]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text; chat; another chat on the merged one; a third stacked on that."""
    place = tmp_path_factory.mktemp("stages")
    path = write(place)
    path.write_text(
        path.read_text() + STAGE.format(name="more", previous="merge") + STAGE.format(name="last", previous="stack")
    )
    return run(load(path), place, out=place / "run", upto=Phase.MERGE)


@pytest.fixture(scope="module")
def records(run_folder: Path) -> Records:
    return runfolder.records(run_folder)


def test_each_stage_trains_on_what_the_recipe_says(records: Records) -> None:
    made_from = {name: set(record.inputs) for name, record in records.items() if name.startswith(("train", "merged"))}
    assert made_from == {
        "train/text": {"base", "data/text"},
        "train/chat": {"train/text/weights", "data/chat"},
        "merged/chat-full": {"train/text/weights", "train/chat/adapter", "data/chat"},
        "train/more": {"merged/chat-full", "data/more"},
        "train/last": {"merged/chat-full", "train/more/adapter", "data/last"},
        "merged/last-full": {"merged/chat-full", "train/more/adapter", "train/last/adapter", "data/last"},
        "merged/last-dequantised": {"merged/chat-full", "train/more/adapter", "train/last/adapter", "data/last"},
    }


def test_its_chain_of_hashes_holds(run_folder: Path, records: Records) -> None:
    assert verify(run_folder) == sum(len(record.outputs) for record in records.values()) + len({"text", "questions"})


def test_a_manifest_names_no_place_on_this_machine(run_folder: Path, records: Records) -> None:
    spec = load(run_folder.parent / "recipe.yaml")
    gated = {**records, "gate": records["merged/last-full"]}
    text = str(lineage(spec, gated))
    assert "data:questions.jsonl" in text
    assert str(run_folder.parent) not in text
