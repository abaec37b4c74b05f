"""The manifest of a result: what the file is, how it was made, what was measured."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pydantic import JsonValue

from build_tools.manifest import StepRecord
from build_tools.pipeline.card_facts import FACTS, facts
from build_tools.pipeline.lineage import lineage
from build_tools.recipe.schema import Recipe
from medlora_edge import models
from medlora_edge.models import Manifest

NOTES = "Not a medical device. Answers may be wrong: a clinician has to judge every one."
DEMONSTRATION = f"Demonstration model, not for clinical use. {NOTES}"


def manifest_of(
    file: Path,
    digest: str,
    recipe: Recipe,
    done: Mapping[str, StepRecord],
    *,
    name: str,
    measured: Mapping[str, JsonValue] | None = None,
    articles: str | None = None,
) -> Manifest:
    """Describe the GGUF `file` of a finished run, called `name`.

    `measured`: its figures on PubMedQA. `articles`: the list of articles that its data consists of, a line each.

    Raises GateError (exit 5) where a gate has no result, CorruptError for a file that is no model.
    """
    header = models.inspect(file)
    described = models.describe(
        header,
        name=name,
        file=file.name,
        sha256=digest,
        source=models.source_of(file),
        licence=recipe.base.licence,
    )
    demonstration = recipe.base.scratch is not None
    made = {**lineage(recipe, done), FACTS: facts(recipe, done)}
    if articles:
        made["articles"] = {"count": articles.count("\n") - 1, "sha256": sha256(articles.encode()).hexdigest()}
    bench: dict[str, JsonValue] = {"held_out_loss": done["gate"].facts["losses"]}
    return described.model_copy(
        update={
            "demonstration": demonstration,
            "notes": DEMONSTRATION if demonstration else NOTES,
            "lineage": made,
            "bench": {**bench, "pubmedqa": dict(measured)} if measured else bench,
        }
    )
