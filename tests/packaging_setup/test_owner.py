"""Only the user who installed changes an installation: another one's home holds other chats."""

import os
import pwd
from types import SimpleNamespace

import pytest

from medlora_setup import cli
from tests.packaging_setup.laptop import Laptop, tree


@pytest.fixture(autouse=True)
def upgraded(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.install(5) == 0
    assert laptop.upgrade(6) == 0
    capsys.readouterr()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("command", ["upgrade", "rollback", "uninstall"])
def test_somebody_else(
    laptop: Laptop, command: str, known: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs this test, root or not, is another one than the installer."""
    owner = laptop.layout.state.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    users = {owner: SimpleNamespace(pw_name="installer")} if known else {}
    monkeypatch.setattr(pwd, "getpwuid", users.__getitem__)
    name = "installer" if known else f"the user {owner}"
    arguments = {"upgrade": str(laptop.bundle(7)), "rollback": "--yes"}
    before = tree(laptop.disk)
    assert laptop.setup(command, *arguments.get(command, "").splitlines()) == 2
    assert f"this installation belongs to {name}" in capsys.readouterr().err
    assert tree(laptop.disk) == before


@pytest.mark.parametrize("command", ["rollback", "uninstall"])
def test_where_nothing_is_installed_nobody_is_named(
    laptop: Laptop, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder may be anybody's, such as /opt."""
    monkeypatch.setattr(os, "geteuid", lambda: laptop.disk.stat().st_uid + 1)
    assert cli.run([command, "--prefix", str(laptop.disk)]) == 2
    assert "belongs to" not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_whoever_owns_the_folder_the_installer_is_who_counts(laptop: Laptop) -> None:
    """It may have been made for the installer by somebody else."""
    os.chown(laptop.layout.prefix, os.geteuid() + 1, -1)
    assert laptop.setup("rollback", "--yes") == 0


def test_everybody_may_look(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: laptop.layout.state.stat().st_uid + 1)
    assert laptop.setup("status") == 0
    assert laptop.setup("verify", laptop.bundle(7)) == 0
