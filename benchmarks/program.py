"""The installed program `medlora-edge`, run as a user runs it."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.companion import environment
from benchmarks.setup import Setup
from medlora_edge.errors import EngineError

PROGRAM = Path(sys.executable).with_name("medlora-edge")
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Run:
    """What `bench pubmedqa --json` said, and the most memory its own process had, the engine's not counted."""

    results: dict[str, Any]
    peak_rss_bytes: int


def bench(setup: Setup, out: Path, *options: object) -> Run:
    """Run `medlora-edge bench pubmedqa` into the folder `out`. Raises EngineError when it fails."""
    command = [PROGRAM, "bench", "pubmedqa", "--json", "--model", setup.model, "--threads", setup.threads]
    data = ["--data", setup.data] if setup.data else []
    words = [str(word) for word in (*command, *data, "--out", out, *options)]
    home = {"MEDLORA_HOME": str(setup.workplace / "home")}
    messages = setup.workplace / "messages"
    with messages.open("wb") as stderr, (setup.workplace / "results").open("w+b") as stdout:
        process = psutil.Popen(words, stdout=stdout, stderr=stderr, env=environment() | home)
        peak = _peak_rss(process)
        if process.wait():
            raise EngineError(f"bench ended with code {process.wait()}: {messages.read_text()[-500:]}")
        stdout.seek(0)
        return Run(json.load(stdout), peak)


def help_seconds() -> float:
    """Wall time of `medlora-edge --help`."""
    began = time.perf_counter()
    subprocess.run([PROGRAM, "--help"], stdout=subprocess.DEVNULL, env=environment(), check=True)
    return time.perf_counter() - began


def _peak_rss(process: psutil.Popen) -> int:
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(LOOK_SECONDS)
    return peak
