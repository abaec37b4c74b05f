"""Fetching brings what a bundle needs, writes hashes and no address, and leaves nothing half done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from medlora_bundle import requirements
from medlora_bundle.fetch import fetch
from medlora_bundle.lock import FILE_NAME, Purpose, read_lock, write_lock
from medlora_edge import __version__
from medlora_edge.errors import CorruptError, UsageError


def test_the_lock_names_every_file_that_lies_there(fetched: Path) -> None:
    named = {file.path for file in read_lock(fetched).files} | {FILE_NAME}
    assert named == {path.relative_to(fetched).as_posix() for path in fetched.rglob("*") if path.is_file()}


def test_the_app_comes_as_wheels_and_the_engine_as_source(fetched: Path) -> None:
    by_name = {file.name: file for file in read_lock(fetched).files}
    assert by_name["medlora-edge"].version == __version__
    assert by_name["llama-cpp-python"].path.endswith(".tar.gz")
    assert all(file.file.endswith(".whl") for file in by_name.values() if file.purpose is Purpose.APP)
    assert {"cmake", "ninja", "scikit-build-core", "hatchling"} <= by_name.keys()


def test_what_has_an_advisory_and_what_an_extra_brings_stay_away(fetched: Path) -> None:
    names = {file.name for file in read_lock(fetched).files}
    assert not names & {"diskcache", "huggingface-hub", "torch", "pytest"}


def test_the_lock_is_the_same_whatever_the_order(fetched: Path, tmp_path: Path) -> None:
    lock = read_lock(fetched)
    write_lock(tmp_path, lock.model_copy(update={"files": tuple(reversed(lock.files))}))
    text = (tmp_path / FILE_NAME).read_text()
    assert text == (fetched / FILE_NAME).read_text()
    assert "://" not in text
    assert set(json.loads(text)["files"][0]) == {"name", "version", "file", "sha256", "purpose"}


def test_a_folder_with_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        fetch(tmp_path)
    assert [path.name for path in tmp_path.parent.glob(f".{tmp_path.name}.*")] == []


def test_a_failed_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "of_engine", lambda _pyproject: str(tmp_path / "gone.tar.gz"))
    with pytest.raises(UsageError, match="pip failed"):
        fetch(tmp_path / "lock")
    assert list(tmp_path.glob("*lock*")) == []


def test_the_name_of_the_folder_does_not_hide_the_library(fetched: Path, tmp_path: Path) -> None:
    """`packaging` is a library that half of our dependencies import: from the checkout, and beside our wheel."""
    import zipfile

    (wheel,) = fetched.glob("app/medlora_edge-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    checkout = Path(__file__).parents[2]
    for place in (checkout, tmp_path):
        command = [sys.executable, "-c", "import packaging.version; print(packaging.version.Version('1.10'))"]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.stdout == "1.10\n", done.stderr
    assert not (tmp_path / "packaging").exists()


def test_another_source_of_the_engine_than_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(requirements: list[str], into: Path, *options: str) -> None:
        (into / "llama_cpp_python-0.3.36.tar.gz").write_bytes(b"planted")

    monkeypatch.setattr("medlora_bundle.pip.download", download)
    with pytest.raises(CorruptError, match="not the pinned source"):
        fetch(tmp_path / "lock")
    assert list(tmp_path.glob("*lock*")) == []
