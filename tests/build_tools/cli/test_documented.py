"""The page for model builders is the program's: its commands, its keys, its recipes."""

import re
from pathlib import Path

from build_tools.cli.main import app
from build_tools.recipe.reference import reference
from medlora_edge.errors import ExitCode
from tests.build_tools.recipe.writing import problems

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "building-a-model.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_table_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z]+)[^`|]*` \| ", PAGE.split("## Commands")[1].split("\n## ")[0], re.MULTILINE)
    names = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert listed == names


def test_the_keys_are_those_of_the_schema() -> None:
    """Made by `python -m build_tools.recipe.reference`."""
    page = (DOCS / "recipe-keys.md").read_text(encoding="utf-8")
    assert page.split("\n\n", 2)[2].rstrip() == reference()


def test_the_recipe_shown_is_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(PAGE.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    (tmp_path / "train.jsonl").touch()
    assert problems(path) == ()


def test_recipes_named_are_those_that_ship() -> None:
    shipped = {path.name for path in (DOCS.parent / "build_tools" / "recipes").glob("*.yaml")}
    assert set(re.findall(r"`([a-z0-9.-]+\.yaml)`", PAGE)) - {"recipe.yaml"} == shipped


def test_exit_codes_named_are_the_programs() -> None:
    sentence = PAGE.split("Exit codes:")[1].split(".")[0]
    assert {int(code) for code in re.findall(r"\b\d+\b", sentence)} <= {code.value for code in ExitCode}
