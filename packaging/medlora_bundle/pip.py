"""pip as the builder runs it: with this machine's package index, or without any network and any settings."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from medlora_edge.errors import UsageError


def download(requirements: list[str], into: Path, *options: str) -> None:
    """Download `requirements` into `into` from the package index that this machine's settings name.

    Raises UsageError with pip's reason.
    """
    command = ["download", "--dest", str(into), *options, *requirements]
    _pip(command, os.environ.copy(), "run this where the network is", into)


def build_wheel(project: Path, tools: Path, into: Path, epoch: int) -> Path:
    """Build the wheel of `project` with the build tools that lie in `tools`, without a network; return it.

    Raises UsageError with pip's reason.
    """
    offline = {"PIP_CONFIG_FILE": os.devnull, "SOURCE_DATE_EPOCH": str(epoch), "PATH": os.environ.get("PATH", "")}
    command = ["--isolated", "wheel", "--no-deps", "--no-index", "--find-links", str(tools)]
    command += ["--wheel-dir", str(into), str(project)]
    before = set(into.glob("*.whl"))
    _pip(command, offline, "look at the project's pyproject.toml", project)
    (wheel,) = set(into.glob("*.whl")) - before
    return wheel


def install(requirements: Sequence[str], wheels: Path, into: Path) -> None:
    """Install `requirements` from the folder `wheels` into the folder `into`, without a network.

    Raises UsageError with pip's reason.
    """
    command = ["--isolated", "install", "--no-deps", "--no-index", "--find-links", str(wheels), "--target", str(into)]
    offline = {"PIP_CONFIG_FILE": os.devnull, "PATH": os.environ.get("PATH", "")}
    _pip([*command, *requirements], offline, "fetch again, into a new folder", wheels)


def _pip(arguments: list[str], environment: dict[str, str], fix: str, where: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise UsageError(f"pip failed: {reason}", where=str(where), fix=fix)
