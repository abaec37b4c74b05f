"""Disks that are full, read-only or closed to programs: words, the right code, and nothing half done."""

import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from medlora_setup import cli
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, environment, tree

SETUP = f"{shlex.quote(sys.executable)} -m medlora_setup"


def can_mount() -> bool:
    """Whether this machine lets its users mount a disk of their own."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="no user namespaces: a small disk cannot be mounted here")


def on_own_disk(laptop: Laptop, options: str, script: str) -> str:
    """Run a shell script with a file system of its own at the laptop's disk; return what it prints."""
    names = {
        "DISK": str(laptop.disk),
        "PREFIX": str(laptop.layout.prefix),
        "OLD": str(laptop.bundle(5)),
        "NEW": str(laptop.bundle(6)),
        "KEY": FINGERPRINT,
    }
    lines = f'mount -t tmpfs -o {options} none "$DISK"\n{script}'
    command = ["unshare", "-rm", "sh", "-c", lines]
    done = subprocess.run(command, env=environment(**names), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


INSTALL = f'{SETUP} install "$OLD" --key "$KEY" --prefix "$PREFIX"; echo "code $?"; ls -A "$DISK"'


@needs_mount
def test_a_full_disk(laptop: Laptop) -> None:
    """Whatever runs out first, nothing stays; with a little more each time until all fits."""
    codes = []
    for pages in range(1, 24, 2):
        said = on_own_disk(laptop, f"size={pages * 4}k", INSTALL)
        codes.append("code 0" in said)
        if not codes[-1]:
            assert said.startswith("code 4\nerror: "), said
            assert "No space left on device" in said
    assert codes == sorted(codes)
    assert codes[-1]
    assert codes.count(False) > 4


@needs_mount
def test_a_full_disk_in_an_upgrade(laptop: Laptop) -> None:
    fill = 'head -c 9999999 /dev/zero > "$DISK/fill" 2>/dev/null; rm -f "$DISK/x"'
    upgrade = f'{SETUP} upgrade "$NEW" --prefix "$PREFIX" 2>&1; echo "code $?"; "$PREFIX/bin/medlora-edge" x'
    said = on_own_disk(laptop, "size=400k", f'{INSTALL}\n{fill}\n{upgrade}\nrm "$DISK/fill"\n{upgrade}')
    assert [line for line in said.splitlines() if line[:4] in {"code", "0.5.", "0.6."}] == [
        *("code 0", "code 4", "0.5.0-5", "code 0", "0.6.0-6")
    ]


@needs_mount
def test_going_back_and_off_a_full_disk(laptop: Laptop) -> None:
    """Neither needs room: the copy of the chats takes their place, and what removes is not written first."""
    fill = 'head -c 9999999 /dev/zero > "$DISK/fill" 2>/dev/null'
    chats = 'MEDLORA_HOME="$DISK/home"; export MEDLORA_HOME; history="$DISK/home/data/history"; mkdir -p "$history"'
    old = 'head -c 20000 /dev/zero | tr "\\0" o > "$history/chats.db"'
    upgrade = f'{SETUP} upgrade "$NEW" --prefix "$PREFIX" 2>&1; echo "code $?"; echo n > "$history/chats.db"'
    back = f'{SETUP} rollback --yes --prefix "$PREFIX" 2>&1; echo "code $?"; "$PREFIX/bin/medlora-edge" x'
    seen = 'wc -c < "$history/chats.db"; cat "$history-before-rollback-1/chats.db"'
    off = f'{SETUP} uninstall --prefix "$PREFIX" 2>&1; echo "code $?"; ls -A "$DISK"'
    said = on_own_disk(laptop, "size=600k", "\n".join((INSTALL, chats, old, upgrade, fill, back, seen, off)))
    assert [line for line in said.splitlines() if not line.startswith(("start", "kept", "`"))] == [
        *("installed: 0.5.0-5", "code 0", "opt", "upgraded: 0.6.0-6", "code 0"),
        *("rolled back: 0.5.0-5", "code 0", "0.5.0-5", "20000", "n"),
        *("uninstalled: 0.5.0-5", "code 0", "fill", "home"),
    ]


@needs_mount
def test_a_read_only_place(laptop: Laptop) -> None:
    said = on_own_disk(laptop, "ro", INSTALL)
    assert "code 4" in said
    assert "it cannot be used: Read-only file system" in said


@needs_mount
def test_a_place_closed_to_programs(laptop: Laptop) -> None:
    said = on_own_disk(laptop, "noexec", INSTALL)
    assert "code 4" in said
    assert "noexec" in said


@needs_mount
def test_an_installation_that_became_read_only(laptop: Laptop) -> None:
    """It runs and can be checked; what would change it says why it cannot."""
    commands = [f'{SETUP} {command} --prefix "$PREFIX" 2>&1; echo "code $?"' for command in ("status", "uninstall")]
    script = f'{INSTALL}\nmount -o remount,ro "$DISK"\n{commands[0]}\n{commands[1]}\n"$PREFIX/bin/medlora-edge" x'
    said = on_own_disk(laptop, "size=1m", script)
    assert [line for line in said.splitlines() if line.startswith("code")] == ["code 0", "code 0", "code 4"]
    assert "Read-only file system" in said
    assert said.endswith("0.5.0-5\n")


def test_every_file_that_may_not_grow(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit on the size of a file stops each write in turn."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    laptop.bundle(5)
    codes = []
    for limit in (0, 1, 100, 250, 400, 600, 800, 1000, 2000, 1 << 20):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            codes.append(laptop.install(5))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if codes[-1]:
            assert "File too large" in capsys.readouterr().err
            assert not tree(laptop.disk), limit
    assert codes == [4] * 9 + [0]


@pytest.mark.parametrize("command", ['verify "$OLD" --key "$KEY" --json', "--help"])
def test_no_place_to_show_anything(laptop: Laptop, command: str) -> None:
    """A reader that has gone is no failure."""
    # With its buffers, as a laptop runs it: what is printed leaves them late.
    names = environment(OLD=str(laptop.bundle(5)), KEY=FINGERPRINT, PYTHONUNBUFFERED="")
    line = f'{{ {SETUP} {command}; echo "code $?" >&2; }} | true'
    done = subprocess.run(["sh", "-c", line], env=names, capture_output=True, check=True)
    assert done.stderr == b"code 0\n"


@pytest.mark.parametrize("command", ["--help", "status"])
def test_nowhere_to_write_what_is_shown(laptop: Laptop, command: str) -> None:
    assert laptop.install(5) == 0
    names = {name: value for name, value in environment().items() if name != "PYTHONUNBUFFERED"}
    prefix = [] if command == "--help" else ["--prefix", str(laptop.layout.prefix)]
    with Path("/dev/full").open("wb") as full:
        line = [sys.executable, "-m", "medlora_setup", command, *prefix]
        done = subprocess.run(line, env=names, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("error: the disk refused to write: No space left on device\n")
    assert done.stderr.count("\n") == 2


def test_the_unexpected_is_told_in_words(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(_: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("medlora_setup.commands.layout_at", break_down)
    assert cli.run(["status"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected ZeroDivisionError: odd")
    assert "Traceback" not in said
    assert cli.run(["status", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
