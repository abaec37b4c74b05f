"""`make nightly` stops before its first long step where a decisive test would be skipped."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
TOOLS = ("debootstrap", "minisign", "qemu-x86_64", "strace")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """All that is in PATH: every tool, and an `id` that says root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (*TOOLS, "id"):
        place(folder / name, "echo 0")
    return folder


def place(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def nightly(folder: Path, programs: Path, questions: str = "") -> "subprocess.CompletedProcess[str]":
    """Run it in `folder`, which is no checkout, with a `make test` that cannot begin."""
    command = [str(shutil.which("make")), "-f", str(MAKEFILE), "nightly", "MAKE=false"]
    command += [f"PUBMEDQA={questions or MAKEFILE}"]
    environment = {"PATH": str(programs)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_with_everything_the_tests_begin(tmp_path: Path, programs: Path) -> None:
    done = nightly(tmp_path, programs)
    assert "false test" in done.stdout


def test_what_is_missing_is_named_by_its_package(tmp_path: Path, programs: Path) -> None:
    for name in ("qemu-x86_64", "minisign"):
        (programs / name).unlink()
    done = nightly(tmp_path, programs)
    assert "(Debian: apt-get install qemu-user minisign)" in done.stderr
    assert "false test" not in done.stdout


def test_another_user_than_root_is_told_so(tmp_path: Path, programs: Path) -> None:
    place(programs / "id", "echo 1000")
    done = nightly(tmp_path, programs)
    assert "run this as root" in done.stderr
    assert "false test" not in done.stdout


def test_without_the_official_questions(tmp_path: Path, programs: Path) -> None:
    done = nightly(tmp_path, programs, questions="nowhere")
    assert "PUBMEDQA=FILE" in done.stderr
    assert "false test" not in done.stdout
