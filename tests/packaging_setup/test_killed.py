"""Every command killed at every change of the disk: what was installed still starts, and a second run completes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging_setup.killing import killed_at_every_step
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, tree


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing that the system holds for it: flushing only takes time here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Disk:
    """The laptop's disk and its user's data, put back as they were as often as it is asked for."""

    def __init__(self, laptop: Laptop) -> None:
        self.folders = (laptop.disk, laptop.history.parent)
        self.saved = laptop.folder / "saved"
        for at, folder in enumerate(self.folders):
            if folder.is_dir():
                shutil.copytree(folder, self.saved / str(at), symlinks=True)

    def put_back(self) -> None:
        for at, folder in enumerate(self.folders):
            shutil.rmtree(folder, ignore_errors=True)
            if (self.saved / str(at)).is_dir():
                shutil.copytree(self.saved / str(at), folder, symlinks=True)


def check_every_step(laptop: Laptop, *arguments: str | Path, least: int) -> None:
    """Kill the command at each step; afterwards the program starts, and the command leaves what it always leaves."""
    started: set[str | None] = {laptop.says() if laptop.layout.current.exists() else None}
    disk = Disk(laptop)
    assert laptop.setup(*arguments) == 0
    wanted = tree(*disk.folders)
    started.add(laptop.says())
    disk.put_back()
    command = [*map(str, arguments), "--prefix", str(laptop.layout.prefix)]
    step = 0
    for step in killed_at_every_step(command):
        says = laptop.says() if laptop.layout.current.exists() or None not in started else None
        assert says in started, step
        if tree(*disk.folders) != wanted:
            assert laptop.setup(*arguments) == 0, step
        assert tree(*disk.folders) == wanted, step
        disk.put_back()
    assert step >= least
    assert tree(*disk.folders) == wanted


def test_install(laptop: Laptop) -> None:
    check_every_step(laptop, "install", laptop.bundle(5), "--key", FINGERPRINT, least=50)


def test_install_into_a_folder_that_is_there(laptop: Laptop) -> None:
    laptop.layout.prefix.mkdir(parents=True)
    check_every_step(laptop, "install", laptop.bundle(5), "--key", FINGERPRINT, least=50)


def test_upgrade(laptop: Laptop) -> None:
    laptop.install(5)
    laptop.keep_chats(b"old")
    laptop.upgrade(6)
    laptop.keep_chats(b"newer")
    check_every_step(laptop, "upgrade", laptop.bundle(7), least=80)
    assert (laptop.layout.backup("0.6.0-6") / "chats.db").read_bytes() == b"newer"


@pytest.mark.parametrize("chats", [b"written since", None])
def test_rollback(laptop: Laptop, chats: bytes | None) -> None:
    laptop.install(5)
    laptop.keep_chats(b"old")
    laptop.upgrade(6)
    if chats:
        laptop.keep_chats(chats)
    check_every_step(laptop, "rollback", "--yes", least=10)
    assert laptop.chats() == b"old"


def uninstalled_again(laptop: Laptop) -> None:
    """Run the uninstall that is there: the program, or the script that it left in its own place."""
    program = laptop.layout.programs / "medlora-setup"
    if laptop.layout.current.exists():
        assert laptop.setup("uninstall") == 0
    elif program.is_file():
        subprocess.run([program, "uninstall"], check=True)


def test_uninstall(laptop: Laptop) -> None:
    laptop.install(5)
    laptop.upgrade(6)
    laptop.keep_chats(b"mine")
    disk = Disk(laptop)
    step = 0
    for step in killed_at_every_step(["uninstall", "--prefix", str(laptop.layout.prefix)]):
        uninstalled_again(laptop)
        assert not tree(laptop.disk), step
        assert laptop.chats() == b"mine"
        disk.put_back()
    assert step >= 5
    assert not tree(laptop.disk)


def test_the_script_that_uninstalls(laptop: Laptop, tmp_path: Path) -> None:
    """Killed before and after each of its commands; nothing that is half removed can be started."""
    laptop.install(5)
    laptop.upgrade(6)
    disk, killer = Disk(laptop), tmp_path / "killer"
    for name in ("rm", "rmdir"):
        _command_that_kills(killer, name)
    step, commands = 1, 0
    while step <= commands + 1:  # one more than there are: it then came through
        for when in ("before", "after"):
            path = f"{killer}:{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path, "STEP": str(step), "WHEN": when}
            (tmp_path / "count").write_text("0")
            command = [
                str(laptop.layout.programs / "medlora-setup"),
                "uninstall",
                "--prefix",
                str(laptop.layout.prefix),
            ]
            killed = subprocess.run(command, env=environment, capture_output=True, check=False).returncode != 0
            commands = int((tmp_path / "count").read_text())
            assert killed == (commands == step)
            uninstalled_again(laptop)
            assert [path for path in tree(laptop.disk) if not Path(path).is_dir()] == []
            disk.put_back()
        step += 1
    assert commands > 5


def _command_that_kills(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    strike = '[ "$count" = "$STEP" ] && [ "$WHEN" = {} ] && kill -9 "$PPID" && exit'
    lines = (
        "#!/bin/sh",
        f'count=$(($(cat "{folder.parent}/count") + 1))',
        f'echo $count > "{folder.parent}/count"',
        strike.format("before"),
        f'{shutil.which(name)} "$@"',
        "code=$?",
        strike.format("after"),
        "exit $code",
    )
    (folder / name).write_text("\n".join(lines) + "\n")
    (folder / name).chmod(0o755)
