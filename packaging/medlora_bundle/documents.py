"""What lies in a bundle for people and for the first step: INSTALL.txt, install.sh, and the public key."""

import shutil
from importlib import resources
from pathlib import Path

from medlora_edge.errors import UsageError
from medlora_setup.minisign import PublicKey


def write_documents(bundle: Path, installer: Path, facts: dict[str, str]) -> None:
    """Put `installer` and INSTALL.txt into `bundle`; `facts` are what the latter says, by their names in it."""
    text = resources.files("medlora_bundle").joinpath("install.txt").read_text(encoding="utf-8")
    for name, fact in facts.items():
        text = text.replace(f"@{name}@", fact)
    (bundle / "INSTALL.txt").write_text(text, encoding="utf-8")
    shutil.copyfile(installer, bundle / "install.sh")


def write_key(bundle: Path, key: Path) -> None:
    """Copy the public key into `bundle`. Raises as `read_key` does."""
    read_key(key)
    shutil.copyfile(key, bundle / "keys" / "release.pub")


def read_key(key: Path) -> PublicKey:
    """Read a public key of minisign. Raises UsageError where there is none, SetupError when it is malformed."""
    if not key.is_file():
        raise UsageError("no public key here", where=str(key), fix="minisign -G makes a pair of keys")
    return PublicKey.parse(key.read_text(encoding="utf-8", errors="replace"))
