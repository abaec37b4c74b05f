"""Prompt texts as data files, each with its source."""

import hashlib
import json
from functools import cache
from importlib import resources


def _content(name: str) -> bytes:
    return resources.files(__name__).joinpath(f"{name}.json").read_bytes()


@cache
def prompt(name: str) -> dict[str, str]:
    """Parts of a task's prompt: `system`, `user`, `joiner` and what else its file holds."""
    parts: dict[str, str] = json.loads(_content(name))
    return parts


@cache
def prompts_sha256(name: str) -> str:
    """SHA-256 of the task's prompt file, in hex."""
    return hashlib.sha256(_content(name)).hexdigest()
