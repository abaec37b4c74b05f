"""Which keys the schema knows at a place, and at which places it knows a key."""

from collections.abc import Iterator
from functools import cache
from inspect import isclass
from typing import Any, get_args

from pydantic import BaseModel

from build_tools.recipe.problems import Loc
from build_tools.recipe.schema import Recipe

TAGS = ("kind", "format")  # keys that choose between the forms of a part


def keys_at(data: Any, loc: Loc) -> tuple[str, ...]:
    """Keys that the mapping at `loc` of a document may have."""
    return tuple(dict.fromkeys(key for model in models_at(data, loc) for key in model.model_fields))


def tags_at(data: Any, loc: Loc, tag: str) -> tuple[str, ...]:
    """Values that choose the form of the mapping at `loc`."""
    fields = (model.model_fields.get(tag) for model in models_at(data, loc))
    return tuple(value for field in fields if field for value in get_args(field.annotation))


def models_at(data: Any, loc: Loc) -> tuple[type[BaseModel], ...]:
    """Models that the mapping at `loc` may be; its own `kind` or `format` narrows them."""
    found: tuple[type[BaseModel], ...] = (Recipe,)
    node = data
    for part in loc:
        node = node[part]
        if isinstance(part, str):
            fields = (model.model_fields.get(part) for model in found)
            found = tuple(model for field in fields if field for model in models_of(field.annotation))
        found = tuple(model for model in found if _fits(model, node)) or found
    return found


@cache
def places_of(key: str) -> tuple[str, ...]:
    """Where a recipe may have `key`: `stages[].optimiser.learning_rate`."""
    return tuple(dict.fromkeys(place for place, name in _all_keys(Recipe, "") if name == key))


def _all_keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", name
        listed = "[]" if "tuple" in str(field.annotation) else ""
        for part in models_of(field.annotation):
            yield from _all_keys(part, f"{prefix}{name}{listed}.")


def models_of(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models that a field's annotation names, at any depth."""
    if isclass(annotation) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for inner in get_args(annotation) for model in models_of(inner))


def _fits(model: type[BaseModel], node: Any) -> bool:
    if not isinstance(node, dict):
        return True
    chosen = ((model.model_fields.get(tag), node.get(tag)) for tag in TAGS)
    return all(field is None or value in get_args(field.annotation) for field, value in chosen)
