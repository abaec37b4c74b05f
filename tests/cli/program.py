"""Runs the installed program as a user does."""

import subprocess
import sys
from pathlib import Path

from medlora_edge import paths

PROGRAM = Path(sys.executable).with_name("medlora-edge")


def one_thread() -> None:
    """Let the tiny model compute in one thread: on busy cores two wait for each other most of the time."""
    file = paths.settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[engine]\nthreads = 1\n")


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
