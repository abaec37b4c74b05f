"""The pinned source distribution: only the right archive is unpacked, and a failed download says so."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from build_tools.gguf import source_distribution
from build_tools.gguf.converter import fetch
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.paths import data_dir


@pytest.fixture
def place(home: Path) -> Path:
    """Where `medlora-build fetch converter` keeps it."""
    folder = data_dir() / "converter"
    folder.mkdir(parents=True)
    return folder


def test_an_archive_of_another_hash_is_refused(place: Path) -> None:
    (place / f"{source_distribution.NAME}.tar.gz").write_bytes(b"not it")
    with pytest.raises(CorruptError, match="not the pinned source distribution"):
        fetch()
    assert not (place / source_distribution.NAME).exists()


def test_the_right_archive_is_unpacked_once(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / source_distribution.NAME
    source.mkdir()
    (source / "README").write_text("hello")
    archive = place / f"{source_distribution.NAME}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, source.name)
    monkeypatch.setattr(source_distribution, "SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    root = fetch()
    assert (root / "README").read_text() == "hello"
    archive.unlink()
    assert fetch() == root
    assert [entry.name for entry in place.iterdir()] == [root.name]


def test_without_a_network_pip_is_quoted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UsageError, match="pip cannot get llama-cpp-python"):
        fetch()
