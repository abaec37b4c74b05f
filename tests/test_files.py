"""Files are whole or absent, private, and held by one process."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from medlora_edge import paths
from medlora_edge.errors import InUseError, ResourceError
from medlora_edge.files import exclusive, write_atomic


def test_written_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomic(file, b"one")
    write_atomic(file, b"two")
    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    write_atomic(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_second_process_is_told(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from medlora_edge.files import exclusive\n"
        "with exclusive(Path(sys.argv[1]), what='the thing'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InUseError, match="the thing is in use"), exclusive(lock, what="the thing"):
            pass
        holder.kill()
        holder.wait()
    with exclusive(lock, what="the thing"):  # a dead process holds nothing
        pass


def test_home_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLORA_HOME", str(tmp_path / "stick"))
    places = [paths.models_dir(), paths.datasets_dir(), paths.runs_dir(), paths.settings_file(), paths.engine_log()]
    assert all(place.is_relative_to(tmp_path / "stick") for place in places)


def test_folders_are_private(tmp_path: Path) -> None:
    place = paths.private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="cannot create the folder"):
        paths.private_folder(tmp_path / "file" / "b")


def test_the_library_packaging_is_the_one_found() -> None:
    root = Path(__file__).parent.parent
    found = subprocess.run(
        [sys.executable, "-c", "import packaging.version as v; print(v.__file__)"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "site-packages" in found.stdout
