"""What a step ran with and on: library versions, the state of the source, the machine in words."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil

from build_tools.manifest import Code, Hardware

CPU_INFO = Path("/proc/cpuinfo")
SOURCE = Path(__file__).parents[2]


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """Versions of the given distributions."""
    return {name: version(name) for name in libraries}


def program() -> dict[str, str]:
    """Versions of Python and of this program: told, but no reason to do anything anew."""
    return {"python": platform.python_version(), "medlora-edge": version("medlora-edge")}


@cache
def code() -> Code:
    """Commit of the checkout that this program runs from, and whether files in it were changed."""
    commit = _git("rev-parse", "HEAD") if (SOURCE / ".git").exists() else None
    changes = _git("status", "--porcelain") if commit else None
    return Code(commit=commit, dirty=None if changes is None else bool(changes))


def _git(*arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    done = subprocess.run([program, "-C", str(SOURCE), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def hardware() -> Hardware:
    """Processor, memory, and the CUDA cards where a step has loaded torch."""
    return Hardware(
        cpu=_cpu(),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}",
        gpus=_gpus(),
    )


def _cpu() -> str:
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"


def _gpus() -> tuple[str, ...]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
