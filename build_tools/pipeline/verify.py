"""Recomputes the chain of hashes of a run, or of what shipped of it: data, rows, adapters, merges, GGUFs, result."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from build_tools.bases.resolve import resolve
from build_tools.manifest import StepRecord, check_outputs, sha256_of_file, sha256_of_folder, sha256_of_json
from build_tools.pipeline import runfolder
from build_tools.pipeline.runfolder import Description
from build_tools.pipeline.ship import RECORDS
from build_tools.pipeline.shipped import RECIPES, check_recipe_file, check_result
from build_tools.pipeline.step import Say, silent
from build_tools.recipe.schema import Base
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models.manifest import FILE_NAME as MANIFEST

RERUN = "run the recipe again: it does anew what does not fit; remove a step's folder that no longer belongs to it"


def verify(folder: Path, say: Say | None = None) -> int:
    """Hash every file of a run folder or a shipped one again, and follow each step's inputs to what made them.

    What is not there, because it came from outside or was not shipped, is said and left out. Returns the number of
    files. Raises CorruptError (exit 3) naming the first file or link that does not hold, UsageError where there is no
    run.
    """
    say = say or silent
    shipped = (folder / MANIFEST).is_file()
    root = folder / RECORDS if shipped else folder
    description, records = runfolder.description(root), runfolder.records(root)
    if not records:
        raise UsageError("no step of this run is finished", where=str(folder), fix="run the recipe first")
    _check_recipe(root, description, records)
    files = sum(_check_step(root, name, record, records, partial=shipped, say=say) for name, record in records.items())
    outside = {input_: digest for record in records.values() for input_, digest in _outside(record)}
    base = Base.model_validate(description.recipe["base"], strict=False)
    place = Path(description.recipe_folder or RECIPES)
    files += sum(_check_outside(name, digest, _place(name, base, place), say) for name, digest in outside.items())
    if shipped:
        check_recipe_file(description, say)
        files += check_result(folder, description, records, say)
    return files


def _check_recipe(root: Path, description: Description, records: Mapping[str, StepRecord]) -> None:
    """Require that the recipe has the run's identity, and that every stage was trained as it says."""
    recipe: dict[str, Any] = description.recipe
    where = str(root / runfolder.DESCRIPTION)
    if runfolder.identity_of(recipe) != description.identity:
        raise CorruptError("the recipe is not the one that names this run", where=where, fix=RERUN)
    for stage in recipe["stages"]:
        trained = records.get(f"train/{stage['name']}")
        if trained and trained.recipe_sha256 != sha256_of_json(stage):
            raise CorruptError(f"{trained.step} was trained as another recipe says", where=where, fix=RERUN)


def _check_step(
    root: Path, name: str, record: StepRecord, records: Mapping[str, StepRecord], *, partial: bool, say: Say
) -> int:
    if not (root / name).is_dir():
        raise CorruptError(f"a record calls itself the step {name}", where=str(root), fix=RERUN)
    here = check_outputs(root / name, record, partial=partial)
    _check_links(root, record, records)
    absent = len(record.outputs) - here
    say(f"{name}: {here} files intact{f', {absent} not shipped, not checked' if absent else ''}")
    return here


def _check_links(folder: Path, record: StepRecord, records: Mapping[str, StepRecord]) -> None:
    """Require that what the step took in is what the steps before it have put out."""
    where = str(folder / record.step)
    for missing in set(record.parents) - set(records):
        raise CorruptError(f"the step {missing} has no record, yet {record.step} used it", where=where, fix=RERUN)
    for name, digest in record.inputs.items():
        parent = _parent(name, record)
        if parent is not None and records[parent].sha256_of(name[len(parent) :].removeprefix("/")) != digest:
            raise CorruptError(f"{record.step} was made from another {name} than is here", where=where, fix=RERUN)


def _parent(name: str, record: StepRecord) -> str | None:
    return next((step for step in record.parents if name == step or name.startswith(f"{step}/")), None)


def _outside(record: StepRecord) -> Iterator[tuple[str, str]]:
    return ((name, digest) for name, digest in record.inputs.items() if _parent(name, record) is None)


def _place(name: str, base: Base, recipe_folder: Path) -> Path | None:
    """Where an input from outside lies: `data:FILE` beside the recipe, `base:...` wherever the recipe's base is."""
    kind, _, rest = name.partition(":")
    if kind == "data":
        return recipe_folder / rest
    try:
        return resolve(base, recipe_folder)
    except UsageError:
        return None


def _check_outside(name: str, digest: str, place: Path | None, say: Say) -> int:
    if place is None or not place.exists():
        say(f"{name}: not on this machine, not checked")
        return 0
    found = sha256_of_folder(place) if place.is_dir() else sha256_of_file(place)
    if found != digest:
        raise CorruptError(f"{name} is no longer what this run was made from", where=str(place), fix=RERUN)
    say(f"{name}: intact")
    return 1
