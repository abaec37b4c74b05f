"""A sweep file says what is tried; every mistake in it is named before anything runs."""

from pathlib import Path

import pytest

from build_tools.pipeline.run import Phase
from build_tools.pipeline.sweep_file import SweepFile, combinations, read_sweep
from build_tools.recipe import RecipeError
from tests.build_tools.pipeline.small_recipe import sweep_file

RATE, RANK, ALPHA = "stages.1.optimiser.learning_rate", "stages.1.adapter.rank", "stages.1.adapter.alpha"


def test_a_grid_multiplies_and_paired_keys_walk_together(recipe_folder: Path) -> None:
    text = f"upto: train\ngrid:\n  {RATE}: [0.001, 0.002]\npaired:\n  - {RANK}: [4, 8, 16]\n    {ALPHA}: [8, 16, 32]\n"
    sweep = read_sweep(sweep_file(recipe_folder, text))
    assert sweep.keys == (RATE, RANK, ALPHA)
    assert sweep.upto is Phase.TRAIN
    tried = [tuple(trial.overrides.values()) for trial in sweep.trials]
    assert tried == [(rate, rank, 2 * rank) for rate in (0.001, 0.002) for rank in (4, 8, 16)]
    assert [trial.recipe.stages[1].optimiser.learning_rate for trial in sweep.trials[::3]] == [0.001, 0.002]


def test_a_trial_is_named_after_its_recipes_content(recipe_folder: Path) -> None:
    first = read_sweep(sweep_file(recipe_folder, f"grid: {{{RATE}: [0.001, 0.002]}}\n")).trials
    turned = read_sweep(sweep_file(recipe_folder, f"grid: {{{RATE}: [0.002, 0.003, 0.001]}}\n")).trials
    assert [trial.id for trial in first] == [turned[2].id, turned[0].id]
    same = read_sweep(sweep_file(recipe_folder, f"grid: {{{RANK}: [4, 4]}}\n")).trials
    assert len(same) == 1, "one recipe was tried twice"


def test_other_data_makes_another_trial(recipe_folder: Path) -> None:
    path = sweep_file(recipe_folder, "")
    (before,) = read_sweep(path).trials
    with (recipe_folder / "text.jsonl").open("a") as stream:
        stream.write('{"text": "one more"}\n')
    (after,) = read_sweep(path).trials
    assert before.id != after.id


def test_a_problem_of_many_combinations_is_told_once(recipe_folder: Path) -> None:
    path = sweep_file(recipe_folder, f"grid: {{{RATE}: [0.1, -1], {RANK}: [4, 8]}}\n")
    (recipe_folder / "questions.jsonl").unlink()
    with pytest.raises(RecipeError) as caught:
        read_sweep(path)
    gone, negative = caught.value.lines
    assert "no such file: questions.jsonl" in gone
    assert gone.endswith("[every combination]")
    assert negative.endswith(f"[{RATE}=-1, {RANK}=4; and 1 more]")


def test_without_keys_there_is_one_trial(recipe_folder: Path) -> None:
    assert [trial.overrides for trial in read_sweep(sweep_file(recipe_folder, "")).trials] == [{}]
    assert list(combinations(SweepFile(recipe=Path("x")))) == [{}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"grid: {{{RATE}: [0.001, -1, 5]}}\n", ["learning_rate=-1", "learning_rate=5"]),
        (f"grid: {{{RATE}: []}}\n", [":2: grid.stages.1.optimiser.learning_rate"]),
        ("grid: {stages.1.optimizer.learning_rate: [0.1]}\n", ["stages[1].optimizer: unknown key", "mean optimiser?"]),
        ("grid: {stages.9.steps: [1]}\n", ["no place stages.9.steps"]),
        (f"grid: {{{RATE}: [0.01]}}\nextra: 1\n", [":3: extra"]),
        (f"paired:\n  - {RANK}: [4, 8]\n    {ALPHA}: [8]\n", [":3: paired[0]", f"{RANK} has 2, {ALPHA} has 1"]),
        (f"grid: {{{RANK}: [4]}}\npaired: [{{{RANK}: [8]}}]\n", [f"{RANK}: is in the sweep twice"]),
        (f"grid: {{{RANK}: [{', '.join(map(str, range(1, 1002)))}]}}\n", ["1,001 combinations, more than 1,000"]),
        ("upto: nowhere\n", [":2: upto"]),
    ],
)
def test_mistakes_are_named_all_at_once(recipe_folder: Path, text: str, said: list[str]) -> None:
    with pytest.raises(RecipeError) as refused:
        read_sweep(sweep_file(recipe_folder, text))
    assert all(part in str(refused.value) for part in said), str(refused.value)
    assert [path.name for path in recipe_folder.iterdir() if path.is_dir()] == []
