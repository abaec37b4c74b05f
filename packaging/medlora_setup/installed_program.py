"""Runs the installed program and reads the one JSON object that it prints; looks at its sockets meanwhile."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from medlora_setup.sockets import Family, Looks

LOOK_SECONDS = 0.05
LONGEST_SECONDS = 4 * 3600.0  # of one command: a large model on an old laptop reads the sample for an hour


class ProgramError(Exception):
    """The program did not do what it was asked; the sentence is for the report."""


Told = Mapping[str, Any]  # what the program printed as JSON
T = TypeVar("T")


@dataclass(frozen=True)
class Program:
    """The program's launcher, an empty folder that stands for the user's, and what was seen of its sockets."""

    launcher: Path
    home: Path
    looks: Looks = field(default_factory=Looks)

    def ask(self, read: Callable[[Told], T], *arguments: str) -> T:
        """Run the program with `arguments` and `read` its answer. Raises ProgramError, also where it cannot be read."""
        told = self._run(arguments)
        try:
            return read(told)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProgramError(f"The program's answer is not of the form known here: {error!r}") from error

    def _run(self, arguments: Sequence[str]) -> Told:
        environment = {**os.environ, "MEDLORA_HOME": str(self.home)}
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
            try:
                process = subprocess.Popen(
                    [self.launcher, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=messages,
                    env=environment,
                )
            except OSError as error:
                raise ProgramError(f"{self.launcher} cannot be started: {error.strerror}") from error
            with process:
                code = self._watched(process)
            output.seek(0)
            messages.seek(0)
            return _answer(code, output.read(), messages.read())

    def _watched(self, process: subprocess.Popen[bytes]) -> int:
        family = Family(process.pid)
        until = time.monotonic() + LONGEST_SECONDS
        try:
            while time.monotonic() < until:
                self.looks.look(family)
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(LOOK_SECONDS)
            raise ProgramError(f"The program did not end within {LONGEST_SECONDS / 3600:.0f} hours.")
        finally:
            process.kill()  # where it still runs: stopped by the user, or for good


def _answer(code: int, output: bytes, messages: bytes) -> Told:
    try:
        answer = json.loads(output) if output.strip() else None
    except (ValueError, RecursionError):
        answer = None
    if code == 0 and isinstance(answer, dict):
        return answer
    ended = f"by signal {-code}" if code < 0 else f"with code {code}"
    said = " ".join(messages.decode(errors="replace").split()) or "it did not say why"
    raise ProgramError(f"The program ended {ended}: {said[-600:]}")
