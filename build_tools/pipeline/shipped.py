"""A shipped folder: does its GGUF come out of the recorded chain, and do manifest and card say what the records say?

    python -m build_tools.pipeline.shipped FOLDER

writes manifest and card again from the records, after a change of the card's words.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from build_tools.gguf.quantise import histogram
from build_tools.manifest import StepRecord, sha256_of_file, sha256_of_json
from build_tools.pipeline import runfolder
from build_tools.pipeline.card import render
from build_tools.pipeline.card_facts import quantised_step
from build_tools.pipeline.describing import manifest_of
from build_tools.pipeline.measured import require_models
from build_tools.pipeline.result import CARD
from build_tools.pipeline.runfolder import Description
from build_tools.pipeline.ship import ARTICLES, RECORDS
from build_tools.pipeline.step import Say
from build_tools.recipe import load
from build_tools.recipe.schema import Recipe
from medlora_edge import models
from medlora_edge.errors import CorruptError
from medlora_edge.models import Manifest
from medlora_edge.models.manifest import FILE_NAME

RECIPES = Path(__file__).parents[1] / "recipes"
AGAIN = "ship the run again: medlora-build ship RUN FOLDER"


def check_recipe_file(description: Description, say: Say) -> None:
    """Require that the recipe of this name that comes with the program is the one that was run, where there is one."""
    file = RECIPES / f"{description.recipe['name']}.yaml"
    if not file.is_file():
        say(f"{file.name}: does not come with this program, not checked")
        return
    if runfolder.identity(load(file, planned=True)) != description.identity:
        raise CorruptError("the recipe is no longer the one that made this model", where=str(file), fix=AGAIN)
    say(f"{file.name}: the recipe that was run")


def check_result(folder: Path, description: Description, done: Mapping[str, StepRecord], say: Say) -> int:
    """Require that GGUF, manifest, card and list of articles are what the records lead to. Returns how many files."""
    manifest = models.read_manifest(folder)
    _check_gguf(folder / manifest.file, manifest, done[quantised_step(_recipe(description), done)])
    types = ", ".join(f"{count} {name}" for name, count in manifest.tensor_types.items())
    say(f"{manifest.file}: made by this chain; tensors: {types}")
    measured: Any = manifest.bench.get("pubmedqa")
    if measured:
        require_models(measured["runs"], folder, done)
    again = _described(folder, manifest, description, done)
    if sha256_of_json(again.model_dump(mode="json")) != sha256_of_json(manifest.model_dump(mode="json")):
        raise CorruptError("the manifest does not say what the records say", where=str(folder / FILE_NAME), fix=AGAIN)
    say(f"{FILE_NAME}: says what the records say")
    if (folder / CARD).read_text(encoding="utf-8") != render(manifest):
        raise CorruptError("the card is not the manifest's", where=str(folder / CARD), fix=AGAIN)
    say(f"{CARD}: rendered from the manifest")
    return 3 + (folder / ARTICLES).is_file()


def _check_gguf(file: Path, manifest: Manifest, made: StepRecord) -> None:
    found = sha256_of_file(file)
    if not found == manifest.sha256 == made.outputs[file.name].sha256:
        raise CorruptError(f"the GGUF has SHA-256 {found[:12]}..., another than {made.step} made", where=str(file))
    if not dict(histogram(file)) == manifest.tensor_types == made.facts["histogram"]:
        raise CorruptError("the GGUF has other tensor types than were recorded", where=str(file))


def _described(folder: Path, manifest: Manifest, description: Description, done: Mapping[str, StepRecord]) -> Manifest:
    """The manifest made anew; only its date, and what was measured after the run, are taken from the one there is."""
    place = folder / ARTICLES
    again = manifest_of(
        folder / manifest.file,
        manifest.sha256,
        _recipe(description),
        done,
        name=manifest.name,
        articles=place.read_text(encoding="utf-8") if place.is_file() else None,
    )
    return again.model_copy(update={"added": manifest.added, "bench": manifest.bench})


def _recipe(description: Description) -> Recipe:
    return Recipe.model_validate(description.recipe, strict=False)


def main() -> None:
    """Command line."""
    folder = Path(sys.argv[1])
    records = folder / RECORDS
    manifest = _described(
        folder, models.read_manifest(folder), runfolder.description(records), runfolder.records(records)
    )
    models.write_manifest(folder, manifest)
    (folder / CARD).write_text(render(manifest), encoding="utf-8")


if __name__ == "__main__":
    main()
