"""A bundle installed as a clinic installs it, for the measurements that need one: named by `MEDLORA_BUNDLE`."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

from benchmarks.companion import environment
from benchmarks.setup import Setup
from medlora_edge.errors import UsageError
from medlora_setup.minisign import PublicKey

VARIABLE = "MEDLORA_BUNDLE"
WANTED = f"not measured: give a signed bundle's folder in {VARIABLE}"


def bundle_folder() -> Path | None:
    """The bundle to measure, None where none is given. Raises UsageError when it is not there."""
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    folder = Path(given).absolute()
    if not (folder / "install.sh").is_file():
        raise UsageError(
            "there is no bundle here", where=str(folder), fix=f"set {VARIABLE} to a signed bundle's folder"
        )
    return folder


def installed(setup: Setup, bundle: Path) -> Path:
    """Install `bundle` into the workplace once, trusting its own key; return the installed program."""
    prefix = setup.workplace / "installed"
    program = prefix / "bin" / "medlora-edge"
    if not program.exists():
        card = sha256((bundle / "payload" / "python.tar.gz").read_bytes()).hexdigest()
        key = PublicKey.parse((bundle / "keys" / "release.pub").read_text(encoding="utf-8"))
        trust = ["--card", card, "--key", key.fingerprint]
        command = ["sh", str(bundle / "install.sh"), "--prefix", str(prefix), *trust]
        subprocess.run(command, check=True, capture_output=True, env=environment())
    return program
