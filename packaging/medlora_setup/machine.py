"""What the laptop is: plain facts, so that a test can describe any other machine."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medlora_setup import cpu

TRIAL = ".medlora-setup.trial"
SWAPS = Path("/proc/swaps")
BLOCK_DEVICES = Path("/sys/class/block")


@dataclass(frozen=True)
class Place:
    """Where the program is to be installed: the part of its path that exists, free bytes, why it cannot be used."""

    folder: Path
    free_bytes: int
    problem: str | None


@dataclass(frozen=True)
class Machine:
    """Facts about one machine; memory in bytes; what could not be found out is None.

    `plain_swaps` are the swap areas that are not seen to be encrypted.
    """

    system: str
    kernel: str
    arch: str
    glibc: str | None
    features: frozenset[str] | None
    memory_bytes: int
    plain_swaps: tuple[str, ...]
    place: Place
    now: datetime


def look(prefix: Path) -> Machine:
    """Look at this machine and at the place `prefix`, where a few bytes are written and removed again."""
    name = os.uname()
    return Machine(
        system=name.sysname.lower(),
        kernel=name.release,
        arch=name.machine,
        glibc=_glibc(),
        features=cpu.features(),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        plain_swaps=tuple(plain_swaps(SWAPS, BLOCK_DEVICES)),
        place=look_at_place(prefix),
        now=datetime.now(UTC),
    )


def look_at_place(prefix: Path) -> Place:
    """Try out, in the nearest folder that exists, all that an installation at `prefix` needs of a file system."""
    folder = prefix.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        facts = os.statvfs(folder)
        if facts.f_flag & os.ST_NOEXEC:
            return Place(folder, 0, "programs may not be run from it (mounted noexec)")
        _try_out(folder)
    except OSError as error:
        return Place(folder, 0, f"it cannot be used: {error.strerror or error}")
    return Place(folder, facts.f_bavail * facts.f_frsize, None)


def _try_out(folder: Path) -> None:
    work = folder / TRIAL
    shutil.rmtree(work, ignore_errors=True)  # left by a run that was killed
    work.mkdir(mode=0o700)
    try:
        with (work / "draft").open("xb") as stream:
            stream.write(b"medlora")
            stream.flush()
            os.fsync(stream.fileno())
        (work / "draft").rename(work / "file")
        for target in ("file", "."):
            (work / "draft").symlink_to(target)
            (work / "draft").replace(work / "link")
        (work / "other").hardlink_to(work / "file")
    finally:
        shutil.rmtree(work)


def _glibc() -> str | None:
    try:
        version = ctypes.CDLL(None)["gnu_get_libc_version"]
    except (AttributeError, OSError):
        return None
    version.restype = ctypes.c_char_p
    text: bytes = version()
    return text.decode()


def plain_swaps(swaps: Path, devices: Path) -> Iterator[str]:
    """The swap areas of proc(5)'s table that are neither in compressed memory nor on an encrypted device."""
    try:
        lines = swaps.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    except OSError:
        return
    for area in (line.split()[0] for line in lines if line.strip()):
        device = Path(area).resolve().name
        kind = devices / device / "dm" / "uuid"
        encrypted = kind.is_file() and kind.read_text(encoding="utf-8").startswith("CRYPT-")
        if not encrypted and not device.startswith("zram"):
            yield area
