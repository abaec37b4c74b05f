"""Processors of every age, emulated: the bundle's own Python says in a sentence whether the app will run on one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from medlora_setup.errors import Code
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import tree

TOO_OLD = "the processor is below x86-64-v2: it lacks POPCNT, SSE4.1, SSE4.2, SSSE3"


@pytest.fixture
def qemu() -> str:
    program = shutil.which("qemu-x86_64")
    if program is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: apt-get install qemu-user)")
    return program


@pytest.mark.parametrize(("model", "code"), [("qemu64", Code.PLATFORM), ("Nehalem", Code.DONE), ("Haswell", Code.DONE)])
def test_preflight(qemu: str, bundle: Path, unpacked: Path, tmp_path: Path, model: str, code: Code) -> None:
    python = str(unpacked / "python" / "bin" / "python3.11")
    command = [qemu, "-cpu", model, python, "-I", "-B", "-m", "medlora_setup", "preflight", str(bundle)]
    done = subprocess.run([*command, "--prefix", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert (TOO_OLD in done.stdout) is (TOO_OLD in done.stderr) is (model == "qemu64")


def test_nothing_is_installed_on_one_that_is_too_old(qemu: str, bundle: Path, unpacked: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    python = str(unpacked / "python" / "bin" / "python3.11")
    command = [qemu, "-cpu", "qemu64", python, "-I", "-B", "-m", "medlora_setup", "install", str(bundle)]
    key = ["--key", toy.KEY.public.fingerprint, "--prefix", str(tmp_path / "opt" / "prefix")]
    done = subprocess.run([*command, *key], capture_output=True, text=True, check=False)
    assert done.returncode == Code.PLATFORM, done.stderr
    assert TOO_OLD in done.stderr
    assert tree(tmp_path) == before
