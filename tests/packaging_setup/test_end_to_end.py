"""The real bundle on a machine without a network: from the stick to an answer, forward, back, and off again."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_setup import cli
from tests.packaging_setup.laptop import FINGERPRINT, tree
from tests.real_bundle import renumbered

QUESTION = "Does aspirin reduce fever?"


def no_network() -> Sequence[str]:
    """What a command is put behind so that it has no network, where this machine lets its users do so."""
    command = ("unshare", "-rn")
    return command if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0 else ()


class Clinic:
    """A machine with an empty home, an empty environment and no network."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "Zoë's home"
        self.home.mkdir()
        self.prefix = self.home / "med lora"
        self.isolated = no_network()

    def run(self, *command: str | Path) -> str:
        """Run a command; return what it prints."""
        names = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "MEDLORA_HOME": str(self.home / "data of mine")}
        whole = [*self.isolated, *map(str, command)]
        done = subprocess.run(whole, env=names, cwd=self.home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def setup(self, *arguments: str | Path) -> dict[str, object]:
        """Run a command of the installed medlora-setup; return what it tells."""
        told: dict[str, object] = json.loads(self.run(self.prefix / "bin" / "medlora-setup", *arguments, "--json"))
        return told

    def ask(self) -> str:
        """An answer of the installed program."""
        return self.run(self.prefix / "bin" / "medlora-edge", "ask", QUESTION)


def test_from_the_stick_and_off_again(bundle: Path, tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    card = sha256((bundle / "payload" / "python.tar.gz").read_bytes()).hexdigest()
    trust = ("--card", card, "--key", FINGERPRINT)
    clinic.run("sh", bundle / "install.sh", "--prefix", clinic.prefix, *trust)
    first = clinic.setup("status")["version"]
    answer = clinic.ask()
    assert answer.strip()
    assert clinic.setup("qualify", "--out", tmp_path / "filed")["passed"]
    checks = {check["name"]: check for check in json.loads((tmp_path / "filed.json").read_bytes())["checks"]}
    assert checks["Self-test of starter"]["outcome"] == checks["Opens no network socket"]["outcome"] == "passed"
    assert clinic.setup("status")["changes"] == []  # answers leave the installed files as they were
    newer = renumbered(bundle, tmp_path / "newer", 2)
    assert clinic.setup("verify", newer)["serial"] == 2
    assert clinic.setup("upgrade", newer)["previous"] == first
    assert clinic.ask() == answer
    assert clinic.setup("rollback", "--yes")["version"] == first
    assert clinic.ask() == answer
    assert clinic.setup("status")["changes"] == []
    assert clinic.setup("uninstall")["kept"] == []
    shutil.rmtree(clinic.home / "data of mine")
    assert not tree(clinic.home)


@pytest.mark.parametrize("name", ["python.tar.gz", "app.tar.xz", "contents.json"])
def test_a_flipped_byte_of_the_real_bundle(
    bundle: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    shutil.copytree(bundle, stick, copy_function=lambda source, target: Path(target).hardlink_to(source))
    content = bytearray((bundle / "payload" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (stick / "payload" / name).unlink()
    (stick / "payload" / name).write_bytes(content)
    prefix = tmp_path / "prefix"
    assert cli.run(["install", str(stick), "--prefix", str(prefix), "--key", FINGERPRINT]) == 3
    assert f"payload/{name}" in capsys.readouterr().err
    assert not prefix.exists()
