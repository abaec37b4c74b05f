"""The model card: what the manifest of a result says, in Markdown."""

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

from pydantic import TypeAdapter

from build_tools.gates.report import Measure
from build_tools.pipeline.card_facts import FACTS
from medlora_edge.models import Manifest
from medlora_edge.models.units import size_text

TEMPLATE = Path(__file__).with_name("card.md.jinja")


def render(manifest: Manifest) -> str:
    """The card as Markdown; `manifest` is one that this program wrote for a result."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown
    )
    environment.filters.update(cell=_cell, size=size_text, count="{:,}".format, percent=_percent, floored=_floored)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    made, measured = manifest.lineage, manifest.bench.get("pubmedqa")
    bars = TypeAdapter(list[Measure]).validate_python(measured["bars"]) if isinstance(measured, dict) else []
    return template.render(manifest=manifest, made=made, facts=made[FACTS], measured=measured, bars=bars)


def _cell(value: object) -> str:
    """Text that stays in its table cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _floored(fraction: float) -> str:
    """In per cent, never rounded up: a rate just below its bar does not look like it."""
    return str((100 * Decimal(str(fraction))).quantize(Decimal("0.1"), ROUND_FLOOR))
