"""Stages stack or merge, said explicitly; a merge that would lose an earlier stage is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from build_tools.data.rows import Rows
from build_tools.merging.adapter import check
from build_tools.merging.merge import merge
from build_tools.merging.parity import parity
from build_tools.recipe.schema import ChatStage, MergeGate
from build_tools.training.train import train
from build_tools.training.watcher import Silent
from medlora_edge.errors import CorruptError, ExitCode, UsageError
from tests.build_tools.merging import makers

STAGE = ChatStage.model_validate(
    {
        "kind": "chat",
        "name": "chat",
        "previous": "stack",
        "data": [{"format": "pubmedqa", "file": "none.json", "licence": "MIT"}],
        "adapter": {"rank": 8, "alpha": 16, "target_modules": "all-linear"},
        "optimiser": {"name": "adamw_bnb_8bit", "learning_rate": 5e-3},
        "steps": 4,
        "max_length": 64,
    }
)


def trained(out: Path, base: Path, *, before: Sequence[Path] = (), seed: int = 1) -> Path:
    """An adapter of four real steps of QLoRA."""
    rows = Rows(tuple(makers.rows(seed=seed)), ())
    train(STAGE, rows, base=base, adapters=before, out=out, seed=seed, watcher=Silent())
    return out / "adapter"


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory, scratch_base: Path) -> list[Path]:
    """A run of two stages, the second trained on top of the first."""
    folder = tmp_path_factory.mktemp("stages")
    first = trained(folder / "first", scratch_base)
    return [first, trained(folder / "second", scratch_base, before=[first], seed=3)]


def test_what_training_leaves_is_sound_and_does_something(scratch_base: Path, stacked: list[Path]) -> None:
    for adapter in stacked:
        facts = check(adapter, scratch_base)
        assert len(facts.layers) == 14
        assert facts.unchanged == ()


def test_the_whole_line_is_merged_and_passes_on_both_bases(
    tmp_path: Path, scratch_base: Path, stacked: list[Path]
) -> None:
    for onto in ("full", "dequantised"):
        merge(scratch_base, stacked, tmp_path / onto, onto=onto)
        report = parity(scratch_base, stacked, tmp_path / onto, makers.rows(), MergeGate(), onto=onto)
        assert report.passed, [str(measure) for measure in report.measures]


def test_the_last_adapter_alone_on_the_original_base_is_refused(
    tmp_path: Path, scratch_base: Path, stacked: list[Path]
) -> None:
    """The mistake: stage two was trained on top of stage one, and only stage two is merged."""
    with pytest.raises(CorruptError, match="it comes after no other adapter") as caught:
        merge(scratch_base, stacked[1:], tmp_path / "merged", onto="full")
    assert caught.value.code is ExitCode.CORRUPT
    assert "without the earlier ones their training is lost" in str(caught.value)
    assert not (tmp_path / "merged").exists()


def test_another_order_or_a_repeated_adapter_is_refused(
    tmp_path: Path, scratch_base: Path, stacked: list[Path]
) -> None:
    for wrong in (stacked[::-1], [stacked[0], *stacked]):
        with pytest.raises(CorruptError, match="was trained on top of"):
            merge(scratch_base, wrong, tmp_path / "merged", onto="full")


def test_an_adapter_retrained_after_the_next_was_built_on_it_is_refused(
    tmp_path: Path, scratch_base: Path, stacked: list[Path]
) -> None:
    again = makers.adapter(tmp_path / "again", scratch_base, seed=8)
    with pytest.raises(CorruptError, match="was trained on top of"):
        merge(scratch_base, [again, stacked[1]], tmp_path / "merged", onto="full")


def test_after_a_merged_stage_only_its_result_is_the_base(
    tmp_path: Path, scratch_base: Path, stacked: list[Path]
) -> None:
    between = tmp_path / "between"
    merge(scratch_base, stacked[:1], between, onto="full")
    second = trained(tmp_path / "second", between, seed=3)
    with pytest.raises(CorruptError, match="was trained on a base with SHA-256") as caught:
        merge(scratch_base, [second], tmp_path / "merged", onto="full")
    assert "the folder that the stage was merged into" in str(caught.value)
    merge(between, [second], tmp_path / "merged", onto="full")
    assert parity(between, [second], tmp_path / "merged", makers.rows(), MergeGate(), onto="full").passed


def test_nothing_to_merge_is_the_users_mistake(tmp_path: Path, base: Path) -> None:
    with pytest.raises(UsageError, match="no adapter"):
        merge(base, [], tmp_path / "merged", onto="full")
