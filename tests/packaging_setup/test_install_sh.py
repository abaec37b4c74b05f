"""install.sh: the first trust, with the shells and the few tools that a minimal system has."""

import os
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_setup.manifest import read
from tests.packaging_setup import toy
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, tree

SCRIPT = Path(__file__).parents[2] / "packaging" / "install.sh"
TOOLS = ("cp", "cut", "dirname", "gzip", "mkdir", "readlink", "rm", "rmdir", "sha256sum", "tar", "tr", "uname")
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def stick(laptop: Laptop) -> Path:
    """A bundle with the real install.sh."""
    bundle = laptop.bundle(5)
    shutil.copy(SCRIPT, bundle / "install.sh")
    toy.sign(bundle, toy.relisted(read((bundle / "manifest.json").read_bytes()), bundle))
    return bundle


def card(stick: Path) -> str:
    return sha256((stick / "payload" / "python.tar.gz").read_bytes()).hexdigest()


def run(laptop: Laptop, stick: Path, *arguments: str, shell: str = "sh", typed: str = "", **variables: str) -> Done:
    """Run the script with nothing in PATH but what it may need."""
    tools = laptop.folder / "tools"
    tools.mkdir(exist_ok=True)
    for tool in TOOLS:
        if not (tools / tool).exists():
            (tools / tool).symlink_to(str(shutil.which(tool)))
    program = [str(shutil.which(shell)), *(["sh"] if shell == "busybox" else [])]
    environment = {"PATH": str(tools), "TMPDIR": "/nowhere", **variables}
    command = [*program, str(stick / "install.sh"), *arguments]
    return subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, check=False)


def place(laptop: Laptop) -> tuple[str, str]:
    return "--prefix", str(laptop.layout.prefix)


@pytest.mark.parametrize("shell", SHELLS)
def test_with_card_and_key(laptop: Laptop, stick: Path, shell: str) -> None:
    done = run(laptop, stick, *place(laptop), "--card", card(stick), "--key", FINGERPRINT, shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("installed: 0.5.0-5\n")
    assert laptop.says() == "0.5.0-5"
    assert laptop.setup("uninstall") == 0
    assert not tree(laptop.disk)


@pytest.mark.parametrize(("command", "says"), [("verify", "every file is as it was signed"), ("preflight", "ok ")])
def test_before_anything_is_installed(laptop: Laptop, stick: Path, command: str, says: str) -> None:
    done = run(laptop, stick, command, *place(laptop), "--card", card(stick), "--key", FINGERPRINT)
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout
    assert not tree(laptop.disk)


def test_verify_asks_about_both_as_well(laptop: Laptop, stick: Path) -> None:
    done = run(laptop, stick, "verify", *place(laptop), typed="no\n")
    assert (done.returncode, done.stdout) == (9, "")
    assert card(stick) in done.stderr
    done = run(laptop, stick, "verify", *place(laptop), "--card", card(stick), "--key", "0" * 32)
    assert (done.returncode, done.stdout) == (9, "")
    assert not tree(laptop.disk)


def test_verify_names_what_is_damaged(laptop: Laptop, stick: Path) -> None:
    (stick / "payload" / "app.tar.xz").write_bytes(b"")
    done = run(laptop, stick, "verify", *place(laptop), "--card", card(stick), "--key", FINGERPRINT)
    assert done.returncode == 3
    assert "payload/app.tar.xz" in done.stderr
    assert not tree(laptop.disk)


def test_a_machine_that_is_too_small_is_told_so(laptop: Laptop) -> None:
    bundle = laptop.bundle(5, platform=replace(toy.PLATFORM, ram_min_mb=1 << 40))
    shutil.copy(SCRIPT, bundle / "install.sh")
    done = run(laptop, bundle, "preflight", *place(laptop), "--card", card(bundle))
    assert done.returncode == 4
    assert "MiB of memory" in done.stderr
    assert not tree(laptop.disk)


def test_asked_about_both(laptop: Laptop, stick: Path) -> None:
    done = run(laptop, stick, *place(laptop), typed="yes\nyes\n")
    assert card(stick) in done.stderr
    assert done.returncode in {0, 9}  # a shell may read more of a pipe than its line
    done = run(laptop, stick, *place(laptop), "--key", FINGERPRINT, typed="yes\n")
    assert laptop.says() == "0.5.0-5"


@pytest.mark.parametrize("typed", ["no\n", "", "\n", "y\n"])
def test_not_agreed_to(laptop: Laptop, stick: Path, typed: str) -> None:
    done = run(laptop, stick, *place(laptop), typed=typed)
    assert done.returncode == 9
    assert "not what the card says" in done.stderr
    assert not tree(laptop.disk)


def test_the_hash_as_it_is_printed(laptop: Laptop, stick: Path) -> None:
    digest = card(stick).upper()
    printed = " ".join(digest[at : at + 4] for at in range(0, 64, 4))
    assert run(laptop, stick, *place(laptop), "--card", printed, "--key", FINGERPRINT).returncode == 0


def test_another_runtime(laptop: Laptop, stick: Path) -> None:
    """Nothing of an archive that the card does not know is even unpacked."""
    digest = card(stick)
    (stick / "payload" / "python.tar.gz").write_bytes(b"other")
    done = run(laptop, stick, *place(laptop), "--card", digest, "--key", FINGERPRINT)
    assert done.returncode == 9
    assert "do not use it" in done.stderr
    assert not tree(laptop.disk)


def test_another_key(laptop: Laptop, stick: Path) -> None:
    done = run(laptop, stick, *place(laptop), "--card", card(stick), "--key", "0" * 32)
    assert done.returncode == 9
    assert not tree(laptop.disk)


def test_a_damaged_bundle(laptop: Laptop, stick: Path) -> None:
    (stick / "payload" / "app.tar.xz").write_bytes(b"")
    done = run(laptop, stick, *place(laptop), "--card", card(stick), "--key", FINGERPRINT)
    assert done.returncode == 3
    assert "payload/app.tar.xz" in done.stderr
    assert not tree(laptop.disk)


def test_a_stick_without_the_runtime(laptop: Laptop, stick: Path) -> None:
    (stick / "payload" / "python.tar.gz").unlink()
    done = run(laptop, stick, *place(laptop), "--card", "0" * 64)
    assert done.returncode == 4
    assert "cannot copy" in done.stderr
    assert not tree(laptop.disk)


def test_installed_already(laptop: Laptop, stick: Path) -> None:
    arguments = (*place(laptop), "--card", card(stick), "--key", FINGERPRINT)
    assert run(laptop, stick, *arguments).returncode == 0
    before = tree(laptop.disk)
    done = run(laptop, stick, *arguments)
    assert done.returncode == 2
    assert f"'{laptop.layout.programs}/medlora-setup' upgrade '{stick}'" in done.stderr
    done = run(laptop, stick, "verify", *arguments)
    assert done.returncode == 2
    assert f"'{laptop.layout.programs}/medlora-setup' verify '{stick}'" in done.stderr
    assert tree(laptop.disk) == before


def test_into_the_home(laptop: Laptop, stick: Path) -> None:
    home = laptop.disk / "home of Zoë"
    home.mkdir()
    done = run(laptop, stick, "--card", card(stick), "--key", FINGERPRINT, HOME=str(home))
    assert done.returncode == 0
    assert (home / ".local/share/medlora-edge-install/current").is_symlink()


def test_a_relative_prefix(laptop: Laptop, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(laptop.disk)
    assert run(laptop, stick, "--prefix", "here/it", "--card", card(stick), "--key", FINGERPRINT).returncode == 0
    assert (laptop.disk / "here" / "it" / "current").is_symlink()


def test_into_an_empty_folder(laptop: Laptop, stick: Path) -> None:
    laptop.layout.prefix.mkdir(parents=True)
    done = run(laptop, stick, *place(laptop), "--card", card(stick), "--key", FINGERPRINT)
    assert (done.returncode, done.stderr) == (0, "")
    assert laptop.says() == "0.5.0-5"
    assert not list(laptop.layout.prefix.glob(".medlora-edge-first.*"))


@pytest.mark.parametrize(
    "arguments", [["--prefix"], ["--unknown", "x"], ["bundle"], ["--card", "x", "--key"], ["verify", "x"]]
)
def test_wrong_arguments(laptop: Laptop, stick: Path, arguments: list[str]) -> None:
    done = run(laptop, stick, *arguments, HOME=str(laptop.disk))
    assert done.returncode == 2
    assert "sh install.sh [verify|preflight] [--prefix DIR]" in done.stderr
    assert not tree(laptop.disk)


def test_no_home_and_no_prefix(laptop: Laptop, stick: Path) -> None:
    done = run(laptop, stick, "--card", card(stick))
    assert done.returncode == 2
    assert "HOME is not set" in done.stderr


def test_what_a_killed_run_left_is_swept(laptop: Laptop, stick: Path) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    for number in (dead.pid, os.getpid()):
        (laptop.disk / f".medlora-edge-first.{number}").mkdir()
    assert run(laptop, stick, *place(laptop), "--card", card(stick), "--key", FINGERPRINT).returncode == 0
    assert not (laptop.disk / f".medlora-edge-first.{dead.pid}").exists()
    assert (laptop.disk / f".medlora-edge-first.{os.getpid()}").is_dir()  # another one at work


def test_what_would_load_other_code_stays_outside(laptop: Laptop, stick: Path) -> None:
    planted = {"LD_PRELOAD": "/nowhere/planted.so", "PYTHONPATH": "/nowhere", "PYTHONSTARTUP": "/nowhere/x.py"}
    done = run(laptop, stick, *place(laptop), "--card", card(stick), "--key", FINGERPRINT, **planted)
    assert done.returncode == 0
