"""The facts of a model card, from the records of its run; they lie in the manifest, and the card is made of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from build_tools.data.attribution import attributions, hand_check
from build_tools.gates.report import GateReport
from build_tools.manifest import StepRecord
from build_tools.pipeline.card_rows import ROWS, StageFacts, stage_facts
from build_tools.pipeline.loosened import loosened
from build_tools.recipe.data_forms import RctAbstractsData
from build_tools.recipe.schema import Recipe
from medlora_edge.errors import GateError

FACTS = "card"  # their place in a manifest's lineage


@dataclass(frozen=True)
class Hop:
    """The gate of one step, for the card's table."""

    step: str
    report: GateReport


def facts(recipe: Recipe, done: Mapping[str, StepRecord]) -> dict[str, JsonValue]:
    """All figures and names of the card. Raises GateError (exit 5) naming the gates without a result, or missed."""
    hops = _hops(done)
    gate, stages = done["gate"], [stage_facts(stage, done) for stage in recipe.stages]
    return {
        "export": recipe.export.type,
        "scratch": recipe.base.scratch.model_dump(mode="json") if recipe.base.scratch else None,
        "stages": [_stage(stage) for stage in stages],
        "rows": {label: [text(stage) for stage in stages] for label, text in ROWS.items()},
        "attribution": _attribution(stages),
        "trial_check": _trial_check(recipe),
        "hops": [{"step": hop.step, "report": hop.report.model_dump(mode="json")} for hop in hops],
        "loosened": [asdict(bar) for bar in loosened(recipe)],
        "chosen": gate.facts["chosen"],
        "losses": gate.facts["losses"],
        "answer": gate.facts["answer"],
        "answers": gate.facts.get("answers"),
        "histogram": done[quantised_step(recipe, done)].facts["histogram"],
        "hardware": gate.hardware.model_dump(mode="json"),
        "seconds": sum(record.seconds for record in done.values()),
        "versions": {name: text for record in done.values() for name, text in record.versions.items()},
    }


def quantised_step(recipe: Recipe, done: Mapping[str, StepRecord]) -> str:
    """The step that made the GGUF which ships."""
    return f"gguf/{done['gate'].facts['chosen']}-{recipe.export.type.lower()}"


def _stage(stage: StageFacts) -> dict[str, JsonValue]:
    names = ("sources", "decontamination", "left_out")
    return {"name": stage.spec.name, "max_length": stage.spec.max_length, **{name: stage.data[name] for name in names}}


def _attribution(stages: list[StageFacts]) -> list[JsonValue]:
    """What is known about the public files among the data, each once, in the order of their use."""
    known = attributions()
    used = dict.fromkeys(source["sha256"] for stage in stages for source in stage.data["sources"])
    return [{"sha256": digest, **known[digest].model_dump()} for digest in used if digest in known]


def _trial_check(recipe: Recipe) -> JsonValue:
    """The hand-checked sample, where the recipe has questions of that rule from that very file."""
    check = hand_check()
    made = [data for stage in recipe.stages for data in stage.data if isinstance(data, RctAbstractsData)]
    if not any(data.sha256 == check.file_sha256 and data.rule == check.rule for data in made):
        return None
    return {**check.model_dump(mode="json"), "right": check.right}


def _hops(done: Mapping[str, StepRecord]) -> list[Hop]:
    """All gate results, in the order in which they were measured."""
    wanted = {*filter(_has_gate, done), "gate"}
    missing = sorted(name for name in wanted if name not in done or not done[name].gates)
    if missing:
        what = f"no card without gate results: {', '.join(missing)} has none"
        raise GateError(what, fix="run `medlora-build gate RECIPE` first")
    hops = [Hop(name, report) for name, record in done.items() for report in record.gates]
    missed = sorted({hop.step for hop in hops if not hop.report.passed})
    if missed:
        raise GateError(f"no card for what did not pass its gates: {', '.join(missed)}")
    return hops


def _has_gate(step: str) -> bool:
    """Whether it is a merge or an F16 export; what is quantised is measured in the step `gate`."""
    return step.startswith("merged/") or (step.startswith("gguf/") and step.endswith("-f16"))
