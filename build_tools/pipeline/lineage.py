"""Where a GGUF came from, for its manifest: what went into every step and what came out, by hash."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.recipe.schema import Recipe


def lineage(recipe: Recipe, done: Mapping[str, StepRecord]) -> dict[str, JsonValue]:
    """Where the GGUF came from: recipe, code, and per step the hashes of what went in and what came out."""
    base, last = recipe.base, done["gate"]
    licences = sorted({source.licence for stage in recipe.stages for source in stage.data})
    return {
        "recipe": recipe.name,
        "source": recipe.source,
        "run": runfolder.identity(recipe),
        "seed": recipe.seed,
        "base": {"model": base_name(recipe), "revision": base.revision, "licence": base.licence},
        "data_licences": [*licences],
        "code": last.code.model_dump(mode="json"),
        "steps": {name: {"inputs": _inputs(step), "output": step.sha256_of()} for name, step in done.items()},
        "gates": {
            name: [report.model_dump(mode="json") for report in step.gates] for name, step in done.items() if step.gates
        },
    }


def gguf_name(recipe: Recipe) -> str:
    """What the result is called: its file without suffix, and its name in a catalogue."""
    return f"{recipe.name}-{recipe.export.type.lower()}"


def base_name(recipe: Recipe) -> str:
    """What the base is called: a hub id, a folder's name without its place on this machine, or that it was made."""
    base = recipe.base
    return base.hub or (base.folder.name if base.folder else "made from scratch")


def _inputs(step: StepRecord) -> list[JsonValue]:
    """Names and hashes; of files from outside the name alone, not their place on this machine."""
    return [{"name": _public(name), "sha256": digest} for name, digest in step.inputs.items()]


def _public(name: str) -> str:
    kind, colon, rest = name.partition(":")
    return f"{kind}:{Path(rest).name}" if colon else name
