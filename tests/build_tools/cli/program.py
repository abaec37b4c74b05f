"""Runs the installed program as a user does."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("medlora-build")


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
