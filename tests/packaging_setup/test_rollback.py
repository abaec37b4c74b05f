"""Going back: the version and the chats of before; what was written since is set aside, never lost."""

import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from medlora_setup import steps
from medlora_setup.holding import held
from tests.packaging_setup.laptop import Laptop, tree


@pytest.fixture(autouse=True)
def upgraded(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.install(5) == 0
    laptop.keep_chats(b"old")
    (laptop.history / "chats.db-wal").write_bytes(b"log")
    assert laptop.upgrade(6) == 0
    capsys.readouterr()


def test_version_and_chats_of_before(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.keep_chats(b"new")
    (laptop.history / "chats.db-wal").unlink()
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.says() == "0.5.0-5"
    assert laptop.chats() == b"old"
    assert (laptop.history / "keys.json").read_bytes() == b"keys of old"
    assert (laptop.history / "chats.db-wal").read_bytes() == b"log"
    aside = laptop.history.with_name("history-before-rollback-1")
    assert (aside / "chats.db").read_bytes() == b"new"
    assert f"kept: {aside}" in capsys.readouterr().out
    assert not list(laptop.layout.backups.iterdir())


def test_nothing_was_written_since(laptop: Laptop) -> None:
    before = tree(laptop.history.parent)
    assert laptop.setup("rollback", "--yes") == 0
    assert tree(laptop.history.parent) == before


def test_what_is_set_aside_is_never_overwritten(laptop: Laptop) -> None:
    for number in (1, 2):
        laptop.keep_chats(b"new %d" % number)
        assert laptop.setup("rollback", "--yes") == 0
        aside = laptop.history.with_name(f"history-before-rollback-{number}")
        assert (aside / "chats.db").read_bytes() == b"new %d" % number
        assert laptop.upgrade(6) == 0


def test_only_one_step_back(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.upgrade(7)
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.says() == "0.6.0-6"
    before = tree(laptop.disk)
    assert laptop.setup("rollback", "--yes") == 2
    assert "there is no earlier version to go back to" in capsys.readouterr().err
    assert tree(laptop.disk) == before


@pytest.mark.parametrize(
    ("typed", "code", "says"), [("yes\n", 0, "0.5.0-5"), ("y\n", 2, "0.6.0-6"), ("", 2, "0.6.0-6")]
)
def test_asked_first(
    laptop: Laptop,
    typed: str,
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert laptop.setup("rollback") == code
    assert laptop.says() == says
    assert "Go back from 0.6.0-6 to 0.5.0-5?" in capsys.readouterr().err


def test_not_to_a_revoked_version(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.setup("upgrade", laptop.bundle(7, revoked=(6,)))
    assert laptop.setup("rollback", "--yes") == 9
    assert "has been revoked" in capsys.readouterr().err
    assert laptop.says() == "0.7.0-7"


def test_the_chats_are_open(laptop: Laptop) -> None:
    before = tree(laptop.disk, laptop.history)
    with held(laptop.history / ".lock", "it", fix=""):
        assert laptop.setup("rollback", "--yes") == 8
    assert tree(laptop.disk, laptop.history) == before


def test_the_copy_is_gone(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.keep_chats(b"new")
    shutil.rmtree(laptop.layout.backup("0.5.0-5"))
    assert laptop.setup("rollback", "--yes") == 3
    assert "the copy of the chats from before the upgrade is gone" in capsys.readouterr().err
    assert (laptop.says(), laptop.chats()) == ("0.6.0-6", b"new")


def test_the_program_itself_need_not_start(laptop: Laptop) -> None:
    shutil.rmtree(laptop.layout.version("0.6.0-6") / "app")
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.says() == "0.5.0-5"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can work for somebody else")
def test_root_works_for_somebody_else(laptop: Laptop) -> None:
    for path in (laptop.history, *laptop.history.iterdir()):
        os.chown(path, 1000, 1000)
    laptop.upgrade(7)
    laptop.keep_chats(b"new")
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.chats() == b"old"
    assert {path.stat().st_uid for path in (laptop.history, *laptop.history.iterdir())} == {1000}


def test_a_link_that_takes_the_place_of_the_new_chats(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is the user's, who may put one there between two steps: nothing is written or given away behind it."""
    elsewhere = laptop.folder / "elsewhere"
    elsewhere.mkdir()
    draft = laptop.history.with_name(".history.new")
    laptop.keep_chats(b"new")
    remove = steps.remove_tree

    def swapped(path: Path) -> None:
        remove(path)
        if path == draft:
            path.symlink_to(elsewhere)

    monkeypatch.setattr(steps, "remove_tree", swapped)
    assert laptop.setup("rollback", "--yes") == 2
    assert not any(elsewhere.iterdir())
    assert (laptop.says(), laptop.chats()) == ("0.6.0-6", b"new")


def test_a_full_disk_and_chats_on_another_one(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is told is that the disk is full, not that a file cannot be linked there."""

    def refuse(code: int) -> Callable[..., None]:
        def refused(*_: object, **__: object) -> None:
            raise OSError(code, os.strerror(code))

        return refused

    laptop.keep_chats(b"new")
    monkeypatch.setattr(shutil, "copyfileobj", refuse(errno.ENOSPC))
    monkeypatch.setattr(os, "link", refuse(errno.EXDEV))
    assert laptop.setup("rollback", "--yes") == 4
    assert "No space left on device" in capsys.readouterr().err
    assert (laptop.says(), laptop.chats()) == ("0.6.0-6", b"new")


def test_without_chats(laptop: Laptop) -> None:
    shutil.rmtree(laptop.history)
    laptop.upgrade(7)
    laptop.keep_chats(b"first")
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.chats() == b"first"
