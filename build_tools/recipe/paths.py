"""Files that a recipe names: all relative to it, and which of them are not there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from build_tools.recipe.problems import Loc, Problem
from build_tools.recipe.schema import Recipe

BUILT_IN_TEMPLATES = ("base", "chatml")
FOLDERS = ("folder", "test_sets")  # keys


def missing(data: Any, folder: Path, *, planned: bool) -> Iterator[Problem]:
    """Files and folders that a document names and that do not exist.

    `planned`: the base and the data may still be fetched. They may be absent where the base is: then a shape stands
    for it. A document of any form is taken; what is not a path is the schema's matter.
    """
    may_wait = planned and _stands_for_absent(data, folder)
    for loc, path in _named(data):
        fetched = loc[-1] == "folder" or loc[0] == "stages"
        kind = "folder" if loc[-1] in FOLDERS else "file"
        if (fetched and may_wait) or _exists(folder / path, want_folder=kind == "folder"):
            continue
        yield Problem(loc, f"no such {kind}: {path}; paths are relative to the recipe's folder")


def absent(recipe: Recipe, folder: Path) -> tuple[Path, ...]:
    """Base and data of a recipe that have to be brought before it can run."""
    named = dict(_named(recipe.model_dump(mode="json"))).items()
    return tuple(folder / path for loc, path in named if not (folder / path).exists())


def _named(data: Any) -> Iterator[tuple[Loc, str]]:
    """Every path in a document, with its place."""
    data = data if isinstance(data, dict) else {}
    base = data.get("base") if isinstance(data.get("base"), dict) else {}
    for key in ("folder", "shape", "chat_template"):
        value = base.get(key)
        if isinstance(value, str) and not (key == "chat_template" and value in BUILT_IN_TEMPLATES):
            yield ("base", key), value
    stages = data.get("stages")
    for index, stage in enumerate(stages if isinstance(stages, list) else []):
        if isinstance(stage, dict) and isinstance(stage.get("test_sets"), str):
            yield ("stages", index, "test_sets"), stage["test_sets"]
        parts = stage.get("data") if isinstance(stage, dict) else None
        for number, part in enumerate(parts if isinstance(parts, list) else []):
            yield from _of_data(part, ("stages", index, "data", number))


def _of_data(part: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if not isinstance(part, dict):
        return
    if isinstance(part.get("file"), str):
        yield (*loc, "file"), part["file"]
    files = part.get("files")
    for index, value in enumerate(files if isinstance(files, list) else []):
        if isinstance(value, str):
            yield (*loc, "files", index), value


def _stands_for_absent(data: Any, folder: Path) -> bool:
    """Whether a shape is given and the base is not where the recipe says; a hub id may always be absent."""
    base = data.get("base") if isinstance(data, dict) else None
    if not isinstance(base, dict) or base.get("shape") is None:
        return False
    named = base.get("folder")
    return not (isinstance(named, str) and (folder / named).is_dir())


def _exists(path: Path, *, want_folder: bool) -> bool:
    try:
        return path.is_dir() if want_folder else path.is_file()
    except (OSError, ValueError):
        return False
