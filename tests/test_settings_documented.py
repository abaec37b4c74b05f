"""The page of settings is the program's."""

import tomllib
from pathlib import Path

from medlora_edge.settings import Settings
from medlora_edge.settings_reference import INTRODUCTION, page

PAGE = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
REMEDY = "docs/settings.md is out of date: python -m medlora_edge.settings_reference > docs/settings.md"


def test_the_settings_are_those_of_the_model() -> None:
    assert PAGE.rstrip() == page(), REMEDY


def test_the_example_is_a_good_one() -> None:
    assert Settings.model_validate(tomllib.loads(INTRODUCTION.split("```toml\n")[1].split("```")[0]))
