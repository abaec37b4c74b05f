"""A recipe is read with every mistake named at its line, and nothing else happens."""

import subprocess
import sys
from pathlib import Path

import pytest

from build_tools.recipe import RecipeError, load
from medlora_edge.errors import ExitCode, UsageError
from tests.build_tools.recipe.writing import GOOD, changed, problems, write

# what is replaced by what in the good recipe; the line of the complaint; its key and words
MUTATIONS = [
    ("name: good", "nmae: good", 1, "nmae: unknown key; did you mean name?"),
    ("name: good", "name: Good Model", 1, "name: 'Good Model' does not have the form"),
    ("source: this test", "source: 3", 2, "source: 3 should be a valid string; put it in quotes"),
    ("source: this test\n", "", 1, "source: this key is missing"),
    ("name: good", "seed: 4294967296\nname: good", 1, "seed: 4294967296 should be less than 4294967296"),
    ("base:\n", "bases:\n", 3, "bases: unknown key; did you mean base?"),
    ("folder: base", "folder: absent", 4, "base.folder: no such folder: absent"),
    ("folder: base", "folder: [base]", 4, "base.folder: ['base']"),
    ("licence: MIT", "license: MIT", 5, "base.license: unknown key; did you mean licence?"),
    ("stages:\n", "stages: {}\nold:\n", 6, "stages: {} is not a list"),
    ("name: text", "name: a/b", 7, "stages[0].name: 'a/b' does not have the form"),
    ("kind: completion", "kind: complet", 8, "stages[0].kind: 'complet' is not allowed; one of completion, chat; did"),
    ("    kind: completion\n", "", 7, "stages[0].kind: this key is missing; one of completion, chat"),
    ("format: text", "format: txt", 10, "stages[0].data[0].format: 'txt' is not allowed; one of text"),
    ("files: [notes.txt]", "files: []", 10, "stages[0].data[0].files: []"),
    ("files: [notes.txt]", "files: notes.txt", 10, "stages[0].data[0].files: 'notes.txt' is not a list"),
    ("files: [notes.txt]", "files: [gone.txt]", 10, "stages[0].data[0].files[0]: no such file: gone.txt"),
    ("files: [notes.txt]", "file: notes.txt", 10, "stages[0].data[0].file: unknown key; did you mean files?"),
    ("rank: 8", "rank: 0", 11, "stages[0].adapter.rank: 0 should be greater than or equal to 1"),
    ("rank: 8", "rank: 8.5", 11, "stages[0].adapter.rank: 8.5 should be a valid integer"),
    ("rank: 8", "rank: '8'", 11, "stages[0].adapter.rank: '8' should be a valid integer"),
    ("alpha: 16", "alhpa: 16", 11, "stages[0].adapter.alhpa: unknown key; did you mean alpha?"),
    ("rank: 8", "rank: 8, dropout: 1.0", 11, "stages[0].adapter.dropout: 1.0 should be less than 1"),
    ("[q_proj, v_proj]", "all_linear", 11, "stages[0].adapter.target_modules: 'all_linear' is not allowed"),
    ("[q_proj, v_proj]", "[]", 11, "stages[0].adapter.target_modules: []"),
    ("learning_rate: 2e-4", "learning_rate: 2", 12, "stages[0].optimiser.learning_rate: 2 should be less than 1"),
    ("learning_rate: 2e-4", "learning_rate: fast", 12, "stages[0].optimiser.learning_rate: 'fast'"),
    ("learning_rate: 2e-4", "learning_rate: .nan", 12, "stages[0].optimiser.learning_rate: nan"),
    ("{learning_rate: 2e-4}", "{}", 12, "stages[0].optimiser.learning_rate: this key is missing"),
    ("{learning_rate: 2e-4}", "adamw", 12, "stages[0].optimiser: 'adamw' is not a mapping; its keys: name, learning"),
    ("optimiser:", "optimizer:", 12, "stages[0].optimizer: unknown key; did you mean optimiser?"),
    ("steps: 20", "steps: -1", 13, "stages[0].steps: -1 should be greater than or equal to 1"),
    ("max_length: 128", "max_length: 4", 14, "stages[0].max_length: 4 should be greater than or equal to 16"),
    ("max_length: 128", "max_lenght: 128", 14, "stages[0].max_lenght: unknown key; did you mean max_length?"),
    ("max_length: 128", "max_length: 128\n    learning_rate: 1", 15, "belongs in stages[].optimiser.learning_rate"),
    ("previous: merge", "previous: append", 17, "stages[1].previous: 'append' is not allowed; one of merge, stack"),
    ("format: pubmedqa", "format: sharegpt", 19, "stages[1].data[0].format: 'sharegpt' is not allowed; one of pubmed"),
    ("file: questions.json", "file: base", 19, "stages[1].data[0].file: no such file: base"),
    ("name: cosine", "name: cosin", 26, "schedule.name: 'cosin' is not allowed; one of cosine, linear, constant; did"),
    ("warmup_steps: 5", "warmup: 5", 27, "stages[1].schedule.warmup: unknown key; did you mean warmup_"),
    ("epochs: 2", "epochs: 0", 28, "stages[1].epochs: 0 should be greater than 0"),
    ("packing: true", "packing: yes", 30, "stages[1].packing: 'yes' should be a valid boolean; true or false"),
    ("packing: true", "load_bits: 8", 30, "stages[1].load_bits: '8' is not allowed; one of 4, 16, 32"),
    ("packing: true", "packing: true\nexport: {type: Q2_K}", 31, "export.type: 'Q2_K' is not allowed; one of Q3_K_L"),
    ("packing: true", "packing: true\ngates: {merge: {mean_kl: 0}}", 31, "gates.merge.mean_kl: 0 should be greater"),
]


def test_a_good_recipe_has_no_problem(tmp_path: Path) -> None:
    recipe = load(write(tmp_path))
    assert [stage.name for stage in recipe.stages] == ["text", "answers"]
    assert recipe.stages[0].optimiser.learning_rate == pytest.approx(2e-4)


@pytest.mark.parametrize(("old", "new", "line", "words"), MUTATIONS, ids=[f"{new!r:.40}" for _, new, _, _ in MUTATIONS])
def test_a_mistake_is_named_with_its_line_and_its_key(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    path = changed(tmp_path, (old, new))
    found = problems(path)
    assert any(problem.startswith(f"{path}:{line}: ") and words in problem for problem in found), "\n".join(found)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems(
        changed(tmp_path, ("name: good", "nmae: good"), ("kind: chat", "kind: chatt"), ("epochs: 2", "epochs: -2"))
    )
    assert [line.split(":")[1] for line in found] == ["1", "1", "16", "28"]
    assert "stages[1].epochs" in found[-1]


def test_all_allowed_keys_are_listed_with_an_unknown_one(tmp_path: Path) -> None:
    (problem,) = problems(changed(tmp_path, ("rank: 8", "rank: 8, bias: none")))
    assert problem.endswith(
        "stages[0].adapter.bias: unknown key; allowed here: rank, alpha, dropout, target_modules, use_rslora"
    )


def test_keys_of_other_trainers_say_what_ours_are(tmp_path: Path) -> None:
    found = problems(changed(tmp_path, ("steps: 20", "steps: 20\n    sample_packing: true\n    bf16: true")))
    assert "it is `packing`" in found[0]
    assert "`load_bits`" in found[1]


def test_data_may_wait_only_while_the_base_does(tmp_path: Path) -> None:
    (tmp_path / "shape.json").write_text("{}")
    path = changed(
        tmp_path,
        ("folder: base", "folder: absent\n  shape: shape.json"),
        ("notes.txt", "absent.txt"),
    )
    assert problems(path, planned=True) == ()
    assert len(problems(path)) == 2
    path.write_text(path.read_text().replace("folder: absent", "folder: base"))
    (problem,) = problems(path, planned=True)
    assert "no such file: absent.txt" in problem


def test_a_shape_and_a_template_may_not_wait(tmp_path: Path) -> None:
    path = changed(tmp_path, ("folder: base", "folder: absent\n  shape: gone.json\n  chat_template: gone.jinja"))
    found = problems(path, planned=True)
    assert [line.split(": ")[1] for line in found] == ["base.shape", "base.chat_template"]


def test_values_can_be_put_in_before_the_check(tmp_path: Path) -> None:
    path = write(tmp_path)
    recipe = load(path, overrides={"stages.0.adapter.rank": 4, "seed": 7})
    assert recipe.stages[0].adapter.rank == 4  # type: ignore[union-attr]
    assert recipe.seed == 7
    (problem,) = problems(path, overrides={"stages.1.adapter.rank": 0})
    assert problem.startswith(f"{path}:21: stages[1].adapter.rank: 0 should be")


def test_a_value_may_be_put_into_a_part_that_the_recipe_leaves_out(tmp_path: Path) -> None:
    path = changed(tmp_path, ("    steps: 20", "    batch:\n    steps: 20"))
    swept = {"stages.0.schedule.warmup_ratio": 0.1, "stages.0.batch.micro": 2, "gates.quantise.retention": 0.9}
    recipe = load(path, overrides=swept)
    assert recipe.stages[0].schedule.warmup_ratio == pytest.approx(0.1)
    assert recipe.stages[0].batch.micro == 2
    assert recipe.gates.quantise.retention == pytest.approx(0.9)
    (problem,) = problems(changed(tmp_path), overrides={"stages.0.schedul.warmup_ratio": 0.1})
    assert "stages[0].schedul: unknown key; did you mean schedule?" in problem


@pytest.mark.parametrize("place", ["stages.2.adapter.rank", "stages.first.steps", "base.folder.name", "stages.9"])
def test_a_value_for_a_place_that_is_not_there_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no place {place}"):
        load(write(tmp_path), overrides={place: 1})


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- list\n", "words"])
def test_what_is_no_mapping_is_no_recipe(text: str, tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert "no mapping" in problem


def test_a_refused_recipe_leaves_nothing_behind_and_loads_no_torch(tmp_path: Path) -> None:
    path = changed(tmp_path, ("rank: 8", "rnk: 8"))
    before = sorted(tmp_path.rglob("*"))
    code = (
        "import sys; sys.argv = ['medlora-build', 'run', sys.argv[1]]\n"
        "from build_tools.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 2, end.code\n"
        "assert not {'torch', 'transformers', 'llama_cpp', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert f"{path}:11: stages[0].adapter.rnk: unknown key; did you mean rank?" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_error_counts_its_problems_and_exits_with_usage(tmp_path: Path) -> None:
    path = changed(tmp_path, ("name: good", "nmae: good"))
    with pytest.raises(RecipeError, match=f"^2 problems in {path}") as caught:
        load(path)
    assert caught.value.code == ExitCode.USAGE


def test_hundreds_of_mistakes_are_cut_short(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(write(tmp_path, GOOD + "".join(f"key{number}: 1\n" for number in range(300))))
    assert len(caught.value.lines) == 300
    assert "... and 200 more" in str(caught.value)
