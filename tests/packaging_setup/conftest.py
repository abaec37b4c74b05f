"""A laptop and a small bundle of its own for every test."""

from pathlib import Path

import pytest

from tests.packaging_setup import toy
from tests.packaging_setup.laptop import Laptop


@pytest.fixture
def laptop(tmp_path: Path, home: Path) -> Laptop:
    """A laptop on which nothing is installed; its user's folders are those of `MEDLORA_HOME`."""
    assert home == tmp_path / "medlora-home"
    (tmp_path / "disk").mkdir()
    return Laptop(tmp_path)


@pytest.fixture
def toy_bundle(tmp_path: Path) -> Path:
    """A small signed bundle, serial 5."""
    return toy.build(tmp_path / "bundle")
