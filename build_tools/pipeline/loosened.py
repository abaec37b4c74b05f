"""Bars that a recipe moved away from the schema's defaults: a looser one is named in the model card."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from build_tools.recipe.schema import AnswersGate, Gates, Limits, Recipe

ANSWERS = "answers"  # asked for by a recipe, never by default
AT_LEAST = {"top1_agreement", "retention", "positions", "questions", "longest", "gain"}  # all other bars are upper ones


@dataclass(frozen=True)
class Loosened:
    """A bar, dotted as in the recipe, that asks for less than its default."""

    key: str
    limit: float
    default: float


def loosened(recipe: Recipe) -> tuple[Loosened, ...]:
    """The bars of a recipe, of its stages first, that are looser than the defaults, in the schema's order."""
    gates, defaults = recipe.gates, Gates()
    parts: dict[str, tuple[BaseModel, BaseModel]] = {
        f"stages[{number}].limits": (stage.limits, Limits()) for number, stage in enumerate(recipe.stages)
    }
    for hop in Gates.model_fields:
        if hop != ANSWERS or gates.answers:
            parts[f"gates.{hop}"] = getattr(gates, hop), getattr(defaults, hop) or AnswersGate()
    return tuple(bar for place, (part, default) in parts.items() for bar in _looser(place, part, default))


def _looser(place: str, part: BaseModel, default: BaseModel) -> Iterator[Loosened]:
    for key in type(part).model_fields:
        limit, usual = getattr(part, key), getattr(default, key)
        if limit < usual if key in AT_LEAST else limit > usual:
            yield Loosened(f"{place}.{key}", limit, usual)
