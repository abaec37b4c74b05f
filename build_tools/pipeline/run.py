"""The whole chain of a recipe, from its base to a GGUF with manifest and card; what is done is not done again."""

from enum import StrEnum
from pathlib import Path

from build_tools.bases.quiet import hushed
from build_tools.manifest import FILE_NAME
from build_tools.pipeline import candidates, result, runfolder, stages
from build_tools.pipeline.chain import Chain, Lineage
from build_tools.pipeline.step import Artefact, Say, silent
from build_tools.preflight.check import check
from build_tools.preflight.report import require
from build_tools.recipe.schema import Recipe
from build_tools.training.watcher import Silent, Watcher
from medlora_edge.errors import UsageError


class Phase(StrEnum):
    """How far a run goes, in the order of the chain."""

    DATA = "data"
    TRAIN = "train"
    MERGE = "merge"
    EXPORT = "export"
    QUANTIZE = "quantize"
    GATE = "gate"
    CARD = "card"

    def reaches(self, other: "Phase") -> bool:
        """Whether a run up to this phase does the other."""
        order = list(Phase)
        return order.index(self) >= order.index(other)


def run(
    recipe: Recipe,
    recipe_folder: Path,
    *,
    out: Path | None = None,
    upto: Phase | None = None,
    watcher: Watcher | None = None,
    say: Say | None = None,
    strict: bool = False,
) -> Path:
    """Do all that is still missing up to a phase, by default all of it; the run's folder.

    `out`: the folder, by default `medlora-runs/NAME-HASH`. `say` gets a line at each step's begin and end. `strict`:
    an incomplete checkpoint is an error, not skipped. A recipe that cannot be exported ends with its merge.
    Raises MedloraError: each step's own, UsageError (exit 2) for a folder of another run or an export that the recipe
    rules out, InUseError (exit 8), ResourceError (exit 4).
    """
    last = _last_phase(recipe, upto)
    folder = out or runfolder.default_folder(recipe)
    with runfolder.hold(folder, recipe, recipe_folder), hushed():
        _perform(Chain(recipe, recipe_folder, folder, watcher or Silent(), say or silent, strict), last)
    return folder


def _last_phase(recipe: Recipe, upto: Phase | None) -> Phase:
    if recipe.export.type != "none":
        return upto or Phase.CARD
    if upto and upto.reaches(Phase.EXPORT):
        what = f"the recipe {recipe.name} rules out an export: {recipe.export.reason or 'export.type is none'}"
        raise UsageError(what, fix="`medlora-build merge` is as far as it goes")
    return upto or Phase.MERGE


def _perform(chain: Chain, last: Phase) -> None:
    if last.reaches(Phase.TRAIN):
        _preflight(chain)
    start = stages.base(chain)
    rows = {stage.name: stages.data(chain, stage, start) for stage in chain.recipe.stages}
    if not last.reaches(Phase.TRAIN):
        return
    lineage = stages.train(chain, start, rows)
    if last.reaches(Phase.MERGE):
        _finish(chain, last, lineage, rows[chain.recipe.stages[-1].name])


def _preflight(chain: Chain) -> None:
    """Say before the first hour of training what would stop the chain after the last."""
    if all((chain.folder / f"train/{stage.name}" / FILE_NAME).is_file() for stage in chain.recipe.stages):
        return
    report = check(chain.recipe, chain.recipe_folder)
    for problem in report.problems:
        if problem.severity == "warning":
            chain.say(f"warning: {problem.what}")
    require(report)


def _finish(chain: Chain, last: Phase, lineage: Lineage, rows: Artefact) -> None:
    stage, ways = chain.recipe.stages[-1].name, candidates.ways(chain, lineage)
    models: dict[str, Artefact] = {way: candidates.merge(chain, stage, lineage, rows, way) for way in ways}
    if not last.reaches(Phase.EXPORT):
        return
    models["base"] = lineage.reference or lineage.base
    exported = {name: candidates.export(chain, name, model, rows) for name, model in models.items()}
    if not last.reaches(Phase.QUANTIZE):
        return
    quantised = {name: candidates.quantise(chain, name, f16, rows) for name, f16 in exported.items()}
    base = quantised.pop("base")
    if last.reaches(Phase.GATE):
        _conclude(chain, last, quantised, base, rows)


def _conclude(
    chain: Chain,
    last: Phase,
    quantised: dict[str, candidates.Candidate],
    base: candidates.Candidate,
    rows: Artefact,
) -> None:
    losses = {name: candidate.loss for name, candidate in quantised.items()}
    chosen = min(quantised.values(), key=lambda candidate: candidate.loss)
    chain.say(f"held-out loss of the candidates: {', '.join(f'{name} {loss:.4f}' for name, loss in losses.items())}")
    gated = result.gate(chain, chosen, base, rows, losses)
    if last.reaches(Phase.CARD):
        result.result(chain, chosen, gated)
