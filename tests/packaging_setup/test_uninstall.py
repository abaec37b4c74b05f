"""Uninstall removes what was installed and nothing else."""

import io
import subprocess

import pytest

from medlora_setup import removal, state
from medlora_setup.holding import held
from tests.packaging_setup.laptop import Laptop, environment, tree


@pytest.fixture(autouse=True)
def installed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.install(5) == 0
    laptop.keep_chats(b"mine")
    assert laptop.upgrade(6) == 0
    capsys.readouterr()


def test_nothing_is_left(laptop: Laptop) -> None:
    before = tree(laptop.history.parent)
    assert laptop.setup("uninstall") == 0
    assert not tree(laptop.disk)
    assert tree(laptop.history.parent) == before


def test_by_the_installed_program(laptop: Laptop) -> None:
    """It removes the interpreter that runs it."""
    program = laptop.layout.programs / "medlora-setup"
    done = subprocess.run([program, "uninstall", "--prefix", laptop.layout.prefix], capture_output=True, check=True)
    assert done.stdout.decode() == "uninstalled: 0.6.0-6\n"
    assert not tree(laptop.disk)


def test_foreign_files_are_left_and_named(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    prefix, version = laptop.layout.prefix, laptop.layout.version("0.6.0-6")
    foreign = [prefix / "notes.txt", prefix / "bin" / "mine", version / "app" / "own.py", version / "own" / "x"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    (prefix / "versions" / "link").symlink_to("/etc")
    assert laptop.setup("uninstall") == 0
    left = {path for path in laptop.disk.rglob("*") if not path.is_dir() or path.is_symlink()}
    assert left == {*foreign, prefix / "versions" / "link"}
    told = capsys.readouterr().out
    assert all(f"kept: {path}\n" in told for path in left)


def test_a_folder_that_was_there_before_is_left(laptop: Laptop) -> None:
    laptop.setup("uninstall")
    laptop.layout.prefix.mkdir(parents=True)
    before = tree(laptop.disk)
    assert laptop.install(5) == 0
    assert laptop.setup("uninstall") == 0
    assert tree(laptop.disk) == before


def test_a_damaged_version_goes_too(laptop: Laptop) -> None:
    (laptop.layout.version("0.6.0-6") / "manifest.json").write_text("{}")
    (laptop.layout.version("0.5.0-5") / "contents.json").unlink()
    assert laptop.setup("uninstall") == 0
    assert not tree(laptop.disk)


def test_the_chats_are_open(laptop: Laptop) -> None:
    before = tree(laptop.disk)
    with held(laptop.history / ".lock", "it", fix=""):
        assert laptop.setup("uninstall") == 8
    assert tree(laptop.disk) == before


def test_purge(laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    home = laptop.history.parent.parent
    for folder in ("config", "state"):
        (home / folder).mkdir()
        (home / folder / "file").touch()
    before = tree(laptop.disk, home)
    for typed in ("yes\n", "Purge\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert laptop.setup("uninstall", "--purge") == 2
        assert tree(laptop.disk, home) == before
    monkeypatch.setattr("sys.stdin", io.StringIO("purge\n"))
    assert laptop.setup("uninstall", "--purge") == 0
    assert str(home / "config") in capsys.readouterr().err
    assert not tree(laptop.disk)
    assert not home.exists()


def test_purge_leaves_what_others_may_own(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`MEDLORA_HOME=$HOME` makes `data` a folder that may be anything."""
    home = laptop.history.parent.parent
    (home / "letters.txt").touch()
    before = tree(laptop.disk, home)
    monkeypatch.setattr("sys.stdin", io.StringIO("purge\n"))
    assert laptop.setup("uninstall", "--purge") == 2
    assert "MEDLORA_HOME holds other things too" in capsys.readouterr().err
    assert tree(laptop.disk, home) == before


def test_twice(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.setup("uninstall")
    assert laptop.setup("uninstall") == 2
    assert "nothing is installed here" in capsys.readouterr().err


def test_an_interrupted_uninstall_does_nothing_else(laptop: Laptop) -> None:
    """What stands in the place of medlora-setup then finishes, when it is asked to, and does nothing otherwise."""
    program = laptop.layout.programs / "medlora-setup"
    removal.leave_script(laptop.layout, state.require(laptop.layout))
    before = tree(laptop.disk)
    for arguments in ([], ["upgrade", "x"], ["status"]):
        done = subprocess.run(["/bin/sh", program, *arguments], capture_output=True, check=False, text=True)
        assert done.returncode == 2
        assert "an uninstall was interrupted" in done.stderr
    assert tree(laptop.disk) == before
    subprocess.run(["/bin/sh", program, "uninstall"], env=environment(HOME=""), cwd="/", check=True)
    assert not tree(laptop.disk)
