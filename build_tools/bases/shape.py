"""The shape of a base: its config.json, from a model folder, a committed file, or a scratch description."""

import json
from pathlib import Path
from typing import Any

from build_tools.bases import scratch
from build_tools.bases.resolve import local
from build_tools.recipe.schema import Base
from medlora_edge.errors import CorruptError, UsageError

CONFIG = "config.json"


def shape_of(base: Base, recipe_folder: Path) -> dict[str, Any]:
    """The config.json that `base` has or will have. A committed `shape` serves where the weights are not there.

    Raises what `local` and `read` raise; UsageError for a hub id that is neither fetched nor has a `shape`.
    """
    if base.scratch:
        return scratch.config(base.scratch)
    if base.shape:
        return read(recipe_folder / base.shape)
    return read(local(base, recipe_folder))


def read(place: Path) -> dict[str, Any]:
    """Read a config.json, or the one in a model folder.

    Raises UsageError where there is none, CorruptError where it is not JSON or says nothing about a model.
    """
    file = place / CONFIG if place.is_dir() else place
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the model's configuration cannot be read: {error.strerror}", where=str(file)) from error
    except ValueError as error:
        raise CorruptError(f"the model's configuration is not JSON: {error}", where=str(file)) from error
    if not isinstance(values, dict) or not isinstance(values.get("model_type"), str):
        raise CorruptError("a model's configuration has to name its `model_type`", where=str(file))
    return values
