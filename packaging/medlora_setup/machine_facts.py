"""The machine in a few rows, for a report: what an inventory knows it by."""

import os
import platform
from pathlib import Path

from medlora_setup.qualification import Rows

MIB = 1 << 20


def machine_facts() -> Rows:
    """Name, processor, memory, operating system; "unknown" where the system does not tell."""
    return (
        ("Machine", platform.node() or "unknown"),
        ("Processor", f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} logical cores"),
        ("Memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // MIB:,} MiB"),
        ("Operating system", f"{_system()}, kernel {platform.release()}, {platform.machine()}"),
    )


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")
