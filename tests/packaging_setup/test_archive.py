"""Archives are unpacked as listed, whatever the umask; a disk that refuses and arbitrary bytes end in words."""

import errno
import gzip
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medlora_setup.archive import unpack
from medlora_setup.errors import Code, SetupError
from tests.packaging_setup import toy

FILES = {
    "python/bin/run": b"#!/bin/sh\n",
    "python/lib/é.txt": "naïve\n".encode(),
    "python/lib/empty": b"",
    "python/lib/large": bytes(range(256)) * 9000,
    "python/" + "long/" * 40 + "name": b"x",
}
EXPECTED = toy.listed(FILES)


@pytest.fixture(params=[0o022, 0o077, 0o000], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def make(folder: Path, suffix: str, data: bytes | None = None) -> Path:
    place = folder / f"archive.tar.{suffix}"
    raw = toy.tar(FILES) if data is None else data
    place.write_bytes(gzip.compress(raw) if suffix == "gz" else lzma.compress(raw))
    return place


def target(tmp_path: Path) -> Path:
    place = tmp_path / "staging"
    place.mkdir()
    return place


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_files_come_out_as_listed_whatever_the_umask(tmp_path: Path, suffix: str, umask: None) -> None:
    into = target(tmp_path)
    unpack(make(tmp_path, suffix), into, EXPECTED)
    found = {str(path.relative_to(into)): path for path in into.rglob("*") if path.is_file()}
    assert {path: place.read_bytes() for path, place in found.items()} == FILES
    modes = {path: place.stat().st_mode & 0o7777 for path, place in found.items()}
    assert modes == {content.path: content.mode for content in EXPECTED}
    assert {path.stat().st_mode & 0o7777 for path in into.rglob("*") if path.is_dir()} == {0o755}


def test_progress_reaches_the_whole(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    unpack(make(tmp_path, "xz"), target(tmp_path), EXPECTED, lambda done, total: steps.append((done, total)))
    total = sum(map(len, FILES.values()))
    assert steps[-1] == (total, total)
    assert steps == sorted(steps)


def test_two_archives_go_into_one_folder(tmp_path: Path) -> None:
    into = target(tmp_path)
    unpack(make(tmp_path, "gz"), into, EXPECTED)
    more = {"python/more": b"1", "app/x": b"2"}
    unpack(make(tmp_path, "xz", toy.tar(more)), into, toy.listed(more))
    assert (into / "app/x").read_bytes() == b"2"


def test_a_file_that_is_there_already_is_not_written_over(tmp_path: Path) -> None:
    into = target(tmp_path)
    (into / "python/bin").mkdir(parents=True)
    (into / "python/bin/run").symlink_to(tmp_path / "victim")
    with pytest.raises(SetupError, match="refused to write") as caught:
        unpack(make(tmp_path, "gz"), into, EXPECTED)
    assert caught.value.code == Code.RESOURCES
    assert not (tmp_path / "victim").exists()


def test_a_full_disk_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SetupError, match="No space left on device") as caught:
        unpack(make(tmp_path, "gz"), target(tmp_path), EXPECTED)
    assert caught.value.code == Code.RESOURCES
    assert str(tmp_path / "staging") in str(caught.value)


def test_a_missing_archive_is_damage_of_the_bundle(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="missing") as caught:
        unpack(tmp_path / "archive.tar.gz", target(tmp_path), EXPECTED)
    assert caught.value.code == Code.CORRUPT


RAW = toy.tar({"python/a": b"abc" * 300, "python/b": b""})
LISTED = toy.listed({"python/a": b"abc" * 300, "python/b": b""})


def require_words(tmp_path: Path, name: str, data: bytes) -> None:
    """Either exactly what is listed comes out, or exit 3; never anything else, never outside."""
    around = Path(os.path.realpath(tmp_path))
    into = around / "staging"
    into.mkdir(exist_ok=True)
    place = around / name
    place.write_bytes(data)
    try:
        unpack(place, into, LISTED)
    except SetupError as error:
        assert error.code == Code.CORRUPT
    else:
        assert (into / "python/a").read_bytes() == b"abc" * 300
    assert {path.name for path in around.iterdir()} <= {"staging", name, "medlora-home"}
    assert {str(path.relative_to(into)) for path in into.rglob("*")} <= {"python", "python/a", "python/b"}
    for path in ("python/a", "python/b"):
        (into / path).unlink(missing_ok=True)
    place.unlink()


anything = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@anything
@given(name=st.sampled_from(["a.tar.gz", "a.tar.xz"]), data=st.binary(max_size=2000))
def test_any_bytes(tmp_path: Path, name: str, data: bytes) -> None:
    require_words(tmp_path, name, data)


@anything
@given(xz=st.booleans(), at=st.integers(0, len(RAW) - 1), piece=st.binary(min_size=1, max_size=20))
def test_any_change_inside(tmp_path: Path, xz: bool, at: int, piece: bytes) -> None:
    raw = RAW[:at] + piece + RAW[at + len(piece) :]
    data = lzma.compress(raw, preset=0) if xz else gzip.compress(raw)
    require_words(tmp_path, "a.tar.xz" if xz else "a.tar.gz", data)


@anything
@given(xz=st.booleans(), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_any_change_of_the_compressed_stream(tmp_path: Path, xz: bool, at: int, byte: int) -> None:
    data = bytearray(lzma.compress(RAW, preset=0) if xz else gzip.compress(RAW))
    data[at % len(data)] = byte
    require_words(tmp_path, "a.tar.xz" if xz else "a.tar.gz", bytes(data))
