"""Licence texts of the machine's libraries that are copied into a bundle, found through the system's packages."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from medlora_edge.errors import GateError


def copy_licences(libraries: Iterable[Path], into: Path) -> None:
    """Copy the licence text of each library's package to `into`/<package>/copyright, and list them in packages.json.

    A library inside the interpreter's own folder is covered by Python's licence, which lies in its library.
    Raises GateError where a library belongs to no package: it may then not be passed on.
    """
    owners = {file.name: _package(file) for file in libraries if not file.is_relative_to(sys.base_prefix)}
    listed = [{"library": name, "package": owner, "version": _version(owner)} for name, owner in owners.items()]
    for package in sorted(set(owners.values())):
        text = Path("/usr/share/doc") / package / "copyright"
        if not text.is_file():
            raise GateError(f"no licence text of the package {package}", where=str(text))
        (into / package).mkdir(parents=True)
        shutil.copy(text, into / package / "copyright")
    (into / "packages.json").write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")


def _package(library: Path) -> str:
    """The Debian package that owns `library`; its path may be listed with or without /usr."""
    real = library.resolve()
    for path in (real, Path("/") / real.relative_to("/usr") if real.is_relative_to("/usr") else real):
        owner = _query("dpkg-query", "--search", str(path))
        if owner:
            return owner.split(":")[0]
    fix = "build on Debian or Ubuntu, with the libraries of its packages"
    raise GateError("no package owns this library, so its licence is not known", where=str(library), fix=fix)


def _version(package: str) -> str:
    return _query("dpkg-query", "--show", "--showformat=${Version}", package).strip()


def _query(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""
