"""`medlora-bundle` ends in words and with the documented codes, whichever side found the fault."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging_setup import toy
from tests.real_bundle import write_secret_key


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "medlora_bundle.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    folder = toy.build(tmp_path / "bundle")
    (folder / "manifest.json.minisig").unlink()
    return folder


def test_sign_prints_the_card_and_inspect_says_so(unsigned: Path, tmp_path: Path) -> None:
    key = write_secret_key(tmp_path / "release.sec", toy.KEY)
    assert "signature  none" in run("inspect", unsigned).stdout
    signed = run("sign", unsigned, "--key", key)
    assert (signed.returncode, signed.stderr) == (0, "")
    assert toy.KEY.public.fingerprint in signed.stdout
    seen = json.loads(run("inspect", unsigned, "--json").stdout)
    assert (seen["signature"], seen["serial"]) == ("valid", 5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fetch", "."], 2, "not empty"),
        (["build", ".", "OUT", "--serial", "1", "--key", "k.pub"], 2, "no lock here"),
        (["build", ".", "OUT", "--serial", "0", "--key", "k.pub"], 2, "--serial"),
        (["sign", ".", "--key", "k.sec"], 2, "no bundle"),
        (["inspect", "."], 2, "no bundle"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_faults_are_words_and_codes(
    arguments: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "something").write_text("x")
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bundle_signed_with_a_foreign_key_is_refused(unsigned: Path, tmp_path: Path) -> None:
    done = run("sign", unsigned, "--key", write_secret_key(tmp_path / "other.sec", toy.secret_key(2)))
    assert done.returncode == 9, done.stderr
    assert not (unsigned / "manifest.json.minisig").exists()


def test_help_names_the_four_steps() -> None:
    shown = run("--help").stdout
    assert all(f"  {step} " in shown for step in ("fetch", "build", "sign", "inspect"))
