"""The app itself, with models that bundles brought: any number of them is installed, and one is the default."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.models.hashing import sha256_of
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, toy_of

SHIPPED = "app/medlora_edge/shipped"
PROGRAM = f"""#!/bin/sh
# Runs the app of this environment with the models that were installed beside this program.
exec "{sys.executable}" -c '
import sys
from pathlib import Path
from medlora_edge import paths
shipped = Path(sys.argv.pop(1)) / "{SHIPPED}"
paths.shipped_models_dir = lambda: shipped
from medlora_edge.cli.main import main
main()
' "$(dirname "$(readlink -f "$0")")/.." "$@"
""".encode()


def described(gguf: Path, name: str, folder: Path) -> bytes:
    """The manifest of the model, as a bundle brings it."""
    told = models.describe(models.inspect(gguf), name=name, sha256=sha256_of(gguf), source=models.source_of(gguf))
    models.write_manifest(folder, told)
    return (folder / "manifest.json").read_bytes()


def bundle(laptop: Laptop, serial: int, gguf: Path, *names: str) -> Path:
    """A bundle that brings the starter and models of these names, all of them the same file."""
    lists = {f"{SHIPPED}/{name}/manifest.json": described(gguf, name, laptop.folder) for name in ("starter", *names)}
    usual = toy_of(serial).app_files
    programs = {"bin/medlora-edge": PROGRAM, "bin/medlora-setup": usual["bin/medlora-setup"]}
    app = {**lists, **programs, f"{SHIPPED}/starter/starter.gguf": gguf.read_bytes()}
    return laptop.bundle(serial, app=app, models={name: (gguf.read_bytes(),) for name in names})


def default(laptop: Laptop) -> str:
    """The model that the installed app takes where its user chose none."""
    command = [str(laptop.layout.programs / "medlora-edge"), "self-test", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return str(json.loads(done.stdout)["model"]["name"])


def test_two_models_and_then_one_more(laptop: Laptop, tiny_gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = bundle(laptop, 5, tiny_gguf, "ward", "clinic")
    assert laptop.setup("install", first, "--key", FINGERPRINT) == 0, capsys.readouterr().err
    assert default(laptop) == "ward"
    assert laptop.setup("upgrade", bundle(laptop, 6, tiny_gguf, "zebra")) == 0, capsys.readouterr().err
    assert default(laptop) == "zebra"
    assert laptop.setup("upgrade", bundle(laptop, 7, tiny_gguf)) == 0, capsys.readouterr().err
    assert default(laptop) == "zebra"
    assert laptop.setup("status") == 0
