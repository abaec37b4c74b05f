"""Ships a finished run: a folder with GGUF, manifest, card, and the records that its chain is recomputed from."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from build_tools.data.attribution import article_list, attributions
from build_tools.data.sources import files
from build_tools.manifest import FILE_NAME, StepRecord, sealed, sha256_of_file
from build_tools.pipeline import runfolder
from build_tools.pipeline.card import render
from build_tools.pipeline.card_facts import quantised_step
from build_tools.pipeline.describing import manifest_of
from build_tools.pipeline.measured import measured
from build_tools.pipeline.measuring import FOLDER as BENCHES
from build_tools.pipeline.result import CARD
from build_tools.pipeline.step import RESULT
from build_tools.recipe.schema import Recipe
from medlora_edge import models
from medlora_edge.errors import UsageError
from medlora_edge.models.manifest import FILE_NAME as MANIFEST
from medlora_edge.models.units import size_text

RECORDS = "run"  # the run's own folders, with what is small enough to ship
CARRIED = ("metrics.jsonl", "loss.svg", "gate.json")
ARTICLES = "articles.tsv"
LARGEST = 24_000_000  # bytes of a GGUF that ships with the program


def ship(run: Path, out: Path) -> Path:
    """Make the folder `out` anew from a finished run, with its benches where there are any. Returns the GGUF.

    Raises UsageError (exit 2) for a run without its gate, a GGUF over 24 MB, or `out` that is no model's folder;
    GateError (exit 5), CorruptError (exit 3).
    """
    if out.exists() and not (out / MANIFEST).is_file():
        raise UsageError("there is something else than a model", where=str(out), fix="name another folder")
    description, done = runfolder.description(run), _built(run)
    recipe = Recipe.model_validate(description.recipe, strict=False)
    step = done[quantised_step(recipe, done)]
    source = run / step.step / next(iter(step.outputs))
    _require_small(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as workplace:
        work = Path(workplace) / out.name
        _fill(work, source, description, recipe, done, name=out.name, run=run)
        shutil.rmtree(out, ignore_errors=True)
        work.rename(out)
    return out / source.name


def _built(run: Path) -> dict[str, StepRecord]:
    """The records behind the result, whose own folder is made anew here."""
    done = {name: record for name, record in runfolder.records(run).items() if name != RESULT}
    if "gate" not in done:
        raise UsageError("this run has no gate yet", where=str(run), fix="finish it with `medlora-build run`")
    return done


def _require_small(file: Path) -> None:
    size = file.stat().st_size
    if size > LARGEST:
        raise UsageError(f"{size_text(size)}, more than may ship: {LARGEST:,} bytes", where=str(file))


def _fill(
    folder: Path,
    source: Path,
    description: runfolder.Description,
    recipe: Recipe,
    done: Mapping[str, StepRecord],
    *,
    name: str,
    run: Path,
) -> None:
    file = folder / source.name
    folder.mkdir(mode=0o755)
    shutil.copyfile(source, file)
    articles = _articles(recipe, Path(description.recipe_folder))
    if articles:
        (folder / ARTICLES).write_text(articles, encoding="utf-8")
    figures = measured(run, done) if (run / BENCHES).is_dir() else None
    manifest = manifest_of(file, sha256_of_file(file), recipe, done, name=name, measured=figures, articles=articles)
    models.write_manifest(folder, manifest)
    (folder / CARD).write_text(render(manifest), encoding="utf-8")
    (folder / RECORDS).mkdir()
    nowhere = description.model_copy(update={"recipe_folder": ""})  # a place on this machine says nothing elsewhere
    (folder / RECORDS / runfolder.DESCRIPTION).write_bytes(sealed(nowhere))
    for step in done:
        _carry(run / step, folder / RECORDS / step)


def _carry(step: Path, place: Path) -> None:
    place.mkdir(parents=True)
    for name in (FILE_NAME, *CARRIED):
        if (step / name).is_file():
            shutil.copyfile(step / name, place / name)


def _articles(recipe: Recipe, recipe_folder: Path) -> str | None:
    """The list of articles, where the data consists of articles of many owners."""
    known = attributions()
    paths = dict.fromkeys(path for stage in recipe.stages for data in stage.data for path in files(data, recipe_folder))
    owned = [path for path in paths if (of := known.get(sha256_of_file(path))) and of.articles]
    return article_list(owned) if owned else None
