"""Finds the base of a recipe on this machine; a hub id only where `medlora-build fetch` has put it."""

from pathlib import Path

from build_tools.recipe.schema import Base
from medlora_edge import paths
from medlora_edge.errors import UsageError


def resolve(base: Base, recipe_folder: Path) -> Path | None:
    """The Hugging Face folder that training starts from; None for `scratch`, which is made. Raises as `local` does."""
    return None if base.scratch else local(base, recipe_folder)


def local(base: Base, recipe_folder: Path) -> Path:
    """The folder of a base that is not made, without touching a network.

    Raises UsageError for a folder without a config.json and for a hub id that has not been fetched.
    """
    if base.folder:
        return _model_folder(recipe_folder / base.folder)
    found = fetched(base.hub, base.revision) if base.hub else None
    if found:
        return found
    raise UsageError(
        f"the base {base.hub} is not on this machine",
        where=f"revision {base.revision}" if base.revision else None,
        fix="medlora-build fetch RECIPE downloads it: the one command that uses a network",
    )


def fetched(hub: str, revision: str | None) -> Path | None:
    """Folder of a fetched base. Without a revision it is the only fetched one; UsageError where there are several."""
    found = sorted(place_of(hub, revision or "*").parent.glob(place_of(hub, revision or "*").name))
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} revisions of {hub} are on this machine",
            fix=f"name one in the recipe: {', '.join(place.name.partition('@')[2] for place in found)}",
        )
    return found[0] if found else None


def place_of(hub: str, revision: str) -> Path:
    """Where a fetched base lies."""
    return paths.data_dir() / "bases" / f"{hub.replace('/', '--')}@{revision}"


def _model_folder(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise UsageError(
            "the base has no config.json",
            where=str(folder),
            fix="name a folder in the Hugging Face layout: config.json, tokenizer files, *.safetensors",
        )
    return folder
