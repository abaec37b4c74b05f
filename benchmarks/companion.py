"""The other side of a comparison: a program in a process of its own that answers JSON lines with JSON lines."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from medlora_edge.engine.child import PASSED_ON
from medlora_edge.engine.machine import make_background
from medlora_edge.errors import EngineError

ROOT = Path(__file__).parent.parent


def environment() -> dict[str, str]:
    """What the engine process gets to see, so that both sides run alike."""
    return {key: os.environ[key] for key in PASSED_ON if key in os.environ}


class Companion:
    """A running `python -m MODULE ARGUMENTS`; use it as a context manager."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, **request: object) -> dict[str, Any]:
        """Send one request and wait for its answer. Raises EngineError when the process is gone."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is noticed below
        line = self._process.stdout.readline()
        if not line:
            raise EngineError(f"{self._module} ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The process's own side: as polite as the engine process, one answer a request."""
    make_background()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
