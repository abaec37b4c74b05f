"""The chain of hashes is recomputed, and whatever does not hold is named."""

from pathlib import Path

import pytest

from build_tools.pipeline import runfolder
from build_tools.pipeline.verify import verify
from medlora_edge.errors import CorruptError, UsageError
from tests.build_tools.pipeline import hand_made


def test_verify_names_any_changed_file(tmp_path: Path, recipe_folder: Path) -> None:
    folder = tmp_path / "run"
    hand_made.run(folder, recipe_folder)
    verify(folder)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != runfolder.LOCK]
    outputs = [path for path in files if "checkpoints" not in path.parts]
    for path in (*outputs, recipe_folder / "data.jsonl"):
        sound = path.read_bytes()
        path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
        with pytest.raises(CorruptError) as damaged:
            verify(folder)
        assert str(path) in str(damaged.value)
        path.write_bytes(sound)
    verify(folder)


def test_verify_follows_the_links_between_steps(tmp_path: Path, recipe_folder: Path) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    other = tmp_path / "other"
    (recipe_folder / "data.jsonl").write_text("other\n")
    hand_made.run(other, recipe_folder)
    (tmp_path / "run" / "data").rename(tmp_path / "old-data")
    (other / "data").rename(tmp_path / "run" / "data")
    with pytest.raises(CorruptError, match="was made from another data/chat"):
        verify(tmp_path / "run")


def test_verify_says_what_is_not_here(tmp_path: Path, recipe_folder: Path) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    (recipe_folder / "data.jsonl").unlink()
    said: list[str] = []
    verify(tmp_path / "run", said.append)
    assert said[-1] == "data:data.jsonl: not on this machine, not checked"
    with pytest.raises(UsageError, match="no run here"):
        verify(tmp_path)
