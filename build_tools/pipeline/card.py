"""The model card: what the manifest of a result says, in Markdown."""

from pathlib import Path

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
    environment.filters.update(cell=_cell, size=size_text, count="{:,}".format, percent=_percent)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    made, facts = manifest.lineage, manifest.lineage[FACTS]
    return template.render(manifest=manifest, made=made, facts=facts, measured=manifest.bench.get("pubmedqa"))


def _cell(value: object) -> str:
    """Text that stays in its table cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _percent(fraction: float) -> str:
    """With one decimal; a rate just below its bar is not rounded up to it."""
    return f"{100 * fraction:.1f}"
