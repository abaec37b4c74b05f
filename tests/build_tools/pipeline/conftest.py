"""A recipe's folder with its data file."""

from pathlib import Path

import pytest


@pytest.fixture
def recipe_folder(tmp_path: Path) -> Path:
    place = tmp_path / "recipe"
    place.mkdir()
    (place / "data.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    return place
