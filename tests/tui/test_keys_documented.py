"""The page of keys is the program's, and the settings name what the app has."""

from pathlib import Path
from typing import get_args

import pytest

from medlora_edge.settings import AppSettings
from medlora_edge.tui.keys.reference import page, shown
from medlora_edge.tui.themes import THEMES

PAGE = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
REMEDY = "docs/keys.md is out of date: python -m medlora_edge.tui.keys.reference > docs/keys.md"


def test_the_keys_are_those_of_the_bindings() -> None:
    assert PAGE.rstrip() == page(), REMEDY


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ctrl+j", "Ctrl+J"),
        ("pageup", "PgUp"),
        ("G", "`G`"),
        ("slash", "`/`"),
        ("alt+up", "Alt+Up"),
        ("f1", "F1"),
        ("escape", "Esc"),
    ],
)
def test_a_key_reads_as_on_the_keyboard(key: str, words: str) -> None:
    assert shown(key) == words


def test_the_settings_offer_the_themes_there_are() -> None:
    assert get_args(AppSettings.model_fields["theme"].annotation) == tuple(theme.name for theme in THEMES)
