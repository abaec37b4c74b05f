"""Only the user who installed changes an installation: another one's home holds other chats."""

import os
import pwd

import pytest

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
    """Whoever runs this test, root or not, is another one than the folder's owner."""
    owner = laptop.layout.prefix.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    name = pwd.getpwuid(owner).pw_name if known else f"the user {owner}"
    if not known:
        monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    arguments = {"upgrade": str(laptop.bundle(7)), "rollback": "--yes"}
    before = tree(laptop.disk)
    assert laptop.setup(command, *arguments.get(command, "").splitlines()) == 2
    assert f"this installation belongs to {name}" in capsys.readouterr().err
    assert tree(laptop.disk) == before


def test_everybody_may_look(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: laptop.layout.prefix.stat().st_uid + 1)
    assert laptop.setup("status") == 0
    assert laptop.setup("verify", laptop.bundle(7)) == 0
