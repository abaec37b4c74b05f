"""Names of models: made from file names, and safe as a folder's name everywhere."""

import re
from pathlib import Path

from medlora_edge.errors import UsageError
from medlora_edge.models.manifest import SAFE_NAME

LONGEST = 80


def name_from(path: Path) -> str:
    """A model's name from its file's: "My model (v2).Q3_K_L.gguf" becomes "My-model-v2-.Q3_K_L"."""
    stem = path.name[: -len(".gguf")] if path.name.lower().endswith(".gguf") else path.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:LONGEST].strip("-._") or "model"


def require_name(name: str) -> str:
    """Return `name` when it can be a model's. Raises UsageError."""
    if re.match(SAFE_NAME, name) and len(name) <= LONGEST and name[-1] != ".":
        return name
    raise UsageError(
        f"{name!r} cannot be a model's name",
        fix=f"use letters, digits, '.', '_' and '-', at most {LONGEST}, a letter or digit first",
    )
