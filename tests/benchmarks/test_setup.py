"""What the measurements share."""

from pathlib import Path

import pytest

from benchmarks import random_model, setup


def test_another_generator_makes_the_measured_model_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def make(preset: str, folder: Path) -> None:
        made.append(folder)
        folder.mkdir()
        (folder / "model.gguf").touch()

    for name in ("random_model.py", "random_tokenizer.py"):
        (tmp_path / name).write_text("first")
    monkeypatch.setattr(setup, "__file__", str(tmp_path / "setup.py"))
    monkeypatch.setattr(setup, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(random_model, "make", make)
    assert setup.model_file() == setup.model_file()
    (tmp_path / "random_model.py").write_text("second")
    assert setup.model_file().parent == made[-1]
    assert len(made) == len(set(made)) == 2
