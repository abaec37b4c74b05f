"""Bars that a recipe moved away from the schema's defaults: a looser one is named in the model card."""

from dataclasses import dataclass

from pydantic import BaseModel

from build_tools.recipe.schema import AnswersGate, Gates

ANSWERS = "answers"  # asked for by a recipe, never by default
AT_LEAST = {"top1_agreement", "retention", "positions", "questions", "longest", "gain"}  # all other bars are upper ones


@dataclass(frozen=True)
class Loosened:
    """A bar, dotted as in the recipe, that asks for less than its default."""

    key: str
    limit: float
    default: float


def loosened(gates: Gates) -> tuple[Loosened, ...]:
    """The bars of a recipe that are looser than the defaults, in the schema's order."""
    defaults = Gates()
    return tuple(
        Loosened(f"gates.{hop}.{key}", limit, default)
        for hop in Gates.model_fields
        if hop != ANSWERS or gates.answers
        for key, limit, default in _pairs(getattr(gates, hop), getattr(defaults, hop) or AnswersGate())
        if (limit < default if key in AT_LEAST else limit > default)
    )


def _pairs(gate: BaseModel, default: BaseModel) -> list[tuple[str, float, float]]:
    return [(key, getattr(gate, key), getattr(default, key)) for key in type(gate).model_fields]
