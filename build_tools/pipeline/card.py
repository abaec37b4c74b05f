"""The model card: what the records of a run say about its result, in Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from build_tools.gates.report import GateReport
from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.pipeline.card_rows import ROWS, stage_facts
from build_tools.pipeline.lineage import base_name, gguf_name
from build_tools.pipeline.loosened import loosened
from build_tools.recipe.schema import Recipe
from medlora_edge.errors import GateError
from medlora_edge.models.units import size_text

TEMPLATE = Path(__file__).with_name("card.md.jinja")
GATED = ("merged/", "gguf/")  # steps that make an artefact which a gate has to pass
QUANTISED_FACT = "held_out_loss"


@dataclass(frozen=True)
class Hop:
    """The gate of one step, for the card's table."""

    step: str
    report: GateReport


def render(recipe: Recipe, done: Mapping[str, StepRecord]) -> str:
    """The card as Markdown. Raises GateError (exit 5) naming the gates that have no result, or did not pass."""
    from jinja2 import Environment, StrictUndefined

    hops = _hops(done)
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - Markdown
    environment.filters.update(cell=_cell, size=size_text, count="{:,}".format)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    gate, stages = done["gate"], [stage_facts(stage, done) for stage in recipe.stages]
    return template.render(
        recipe=recipe,
        name=gguf_name(recipe),
        base=base_name(recipe),
        identity=runfolder.identity(recipe),
        stages=stages,
        rows={label: [text(stage) for stage in stages] for label, text in ROWS.items()},
        hops=hops,
        loosened=loosened(recipe.gates),
        chosen=gate.facts["chosen"],
        losses=gate.facts["losses"],
        answer=gate.facts["answer"],
        answers=gate.facts.get("answers"),
        quantised=_quantised(recipe, done),
        record=gate,
        seconds=sum(record.seconds for record in done.values()),
        versions={name: text for record in done.values() for name, text in record.versions.items()},
    )


def _hops(done: Mapping[str, StepRecord]) -> list[Hop]:
    """All gate results, in the order in which they were measured."""
    wanted = {name for name, record in done.items() if name.startswith(GATED) and QUANTISED_FACT not in record.facts}
    wanted.add("gate")
    missing = sorted(name for name in wanted if name not in done or not done[name].gates)
    if missing:
        what = f"no card without gate results: {', '.join(missing)} has none"
        raise GateError(what, fix="run `medlora-build gate RECIPE` first")
    hops = [Hop(name, report) for name, record in done.items() for report in record.gates]
    missed = sorted({hop.step for hop in hops if not hop.report.passed})
    if missed:
        raise GateError(f"no card for what did not pass its gates: {', '.join(missed)}")
    return hops


def _quantised(recipe: Recipe, done: Mapping[str, StepRecord]) -> StepRecord:
    return done[f"gguf/{done['gate'].facts['chosen']}-{recipe.export.type.lower()}"]


def _cell(value: object) -> str:
    """Text that stays in its table cell."""
    return " ".join(str(value).split()).replace("|", "\\|")
