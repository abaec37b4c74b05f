"""One run's folder: named after what is trained, described in `run.json`, held by one process at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from build_tools.manifest import FILE_NAME, StepRecord, read_record, sealed, sha256_of_json, unsealed
from build_tools.recipe.schema import Recipe
from medlora_edge.errors import ResourceError, UsageError
from medlora_edge.files import exclusive, write_atomic

RUNS = Path("medlora-runs")
DESCRIPTION = "run.json"
LOCK = ".lock"
DEPTH = 2  # of the deepest step's folder


class Description(BaseModel):
    """What `run.json` says: which recipe this is, and where its data lies; shipped, it names no folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    identity: str
    recipe: dict[str, JsonValue]
    recipe_folder: str


def identity(recipe: Recipe) -> str:
    """SHA-256 of what decides the trained weights: gates and export may change without training anew."""
    return identity_of(recipe.model_dump(mode="json"))


def identity_of(recipe: Mapping[str, JsonValue]) -> str:
    """The same of a recipe as `run.json` has it."""
    return sha256_of_json({name: recipe[name] for name in ("name", "seed", "base", "stages")})


def default_folder(recipe: Recipe) -> Path:
    """Readable and unique, equal for the same recipe: so the same command resumes."""
    return RUNS / f"{recipe.name}-{identity(recipe)[:8]}"


@contextmanager
def hold(folder: Path, recipe: Recipe, recipe_folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder, which is made where it is missing, and describe the run in it.

    Raises UsageError (exit 2) when it holds another run, InUseError (exit 8), ResourceError (exit 4).
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LOCK).touch(mode=0o600)
    except OSError as error:
        fix = "free space, or give another folder with --out"
        raise ResourceError(f"cannot write: {error.strerror}", where=str(folder), fix=fix) from error
    with exclusive(folder / LOCK, what="this run folder"):
        _describe(folder, recipe, recipe_folder)
        yield


def _describe(folder: Path, recipe: Recipe, recipe_folder: Path) -> None:
    own = Description(
        identity=identity(recipe),
        recipe=recipe.model_dump(mode="json"),
        recipe_folder=str(recipe_folder.resolve()),
    )
    if (folder / DESCRIPTION).is_file():
        if description(folder).identity != own.identity:
            what = "this folder holds another run: its base, data or stages differ"
            raise UsageError(what, where=str(folder), fix="use another --out")
    elif any(not path.name.startswith(".") for path in folder.iterdir()):
        raise UsageError("this folder holds something else than a run", where=str(folder), fix="use another --out")
    write_atomic(folder / DESCRIPTION, sealed(own))


def description(folder: Path) -> Description:
    """Read `run.json`. Raises UsageError where there is no run, CorruptError where it is damaged."""
    if not (folder / DESCRIPTION).is_file():
        raise UsageError("no run here", where=str(folder), fix="name the folder that `medlora-build run` made")
    return unsealed(folder / DESCRIPTION, Description)


def records(folder: Path) -> dict[str, StepRecord]:
    """Records of all finished steps by name, in the order in which they were done. Raises CorruptError."""
    depths = range(1, DEPTH + 1)
    found = (read_record(path.parent) for depth in depths for path in folder.glob("*/" * depth + FILE_NAME))
    return {record.step: record for record in sorted(found, key=lambda record: record.started)}
