"""Where, when and with what a run of measurements took place."""

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.setup import N_BATCH, Setup
from medlora_edge.engine import Engine

LIBRARIES = ("medlora-edge", "llama-cpp-python", "numpy", "pydantic")


def card(setup: Setup, command: str, began: str) -> dict[str, object]:
    """Everything beside the figures, for the JSON document."""
    with Engine(log=setup.workplace / "engine.log") as engine:
        ready = engine.ready
    return {
        "date": began,
        "command": command,
        "machine": {
            "cpu": _cpu_name(),
            "cores": psutil.cpu_count(logical=False),
            "memory_bytes": psutil.virtual_memory().total,
            "system": f"{platform.system()} {platform.machine()}",
        },
        "software": {
            **{name: version(name) for name in LIBRARIES},
            "python": platform.python_version(),
            "llama.cpp": ready.llama_cpp,
            "backends": ready.backends,
        },
        "model": {
            "name": setup.model.parent.name,
            "sha256": hashlib.sha256(setup.model.read_bytes()).hexdigest(),
            "size_bytes": setup.model.stat().st_size,
        },
        "settings": {
            "threads": setup.threads,
            "n_batch": N_BATCH,
            "kv_type": "f16",
            "rounds": setup.rounds,
            "data": setup.data.name if setup.data else "the shipped sample",
        },
    }


def now() -> str:
    """UTC time to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"
