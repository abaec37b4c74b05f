"""All keys of a recipe as Markdown, made from the schema: `python -m build_tools.recipe.reference`."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic import BaseModel

from build_tools.recipe.schema import Recipe
from build_tools.recipe.schema_walk import TAGS, models_of

BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "multipleOf": "a multiple of",
}
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`"}


def reference() -> str:
    """A heading, the meaning and a table of keys for every part of a recipe."""
    first: dict[str, type[BaseModel]] = {}
    parts = dict.fromkeys(_parts(Recipe, ""))  # each part once, though both kinds of stage have it
    lines = (line for place, model in parts for line in _section(place, model, first.setdefault(place, model)))
    return "\n".join(lines).rstrip()


def _parts(model: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield place, model
    for name, field in model.model_fields.items():
        listed = "[]" if "tuple" in str(field.annotation) else ""
        for part in models_of(field.annotation):
            yield from _parts(part, f"{place}.{name}{listed}".removeprefix("."))


def _section(place: str, model: type[BaseModel], first: type[BaseModel]) -> Iterator[str]:
    """One part; without the inherited keys where the `first` model at this place has told them."""
    above = model.__base__
    told = getattr(above, "model_fields", {}) if model is not first and issubclass(first, above or object) else {}
    described = model.model_json_schema()
    needed = described.get("required", ())
    tags = [f"{tag}: {described['properties'][tag]['const']}" for tag in TAGS if tag in described["properties"]]
    title = f"`{place}`" if place else "The recipe"
    yield from (f"### {title}{f' with `{tags[0]}`' if tags else ''}", "", getdoc(model) or "", "")
    if told:
        yield from ("The same keys, but for these:", "")
    yield from ("| key | allowed | unless given |", "|---|---|---|")
    for name, values in described["properties"].items():
        if name not in told:
            yield f"| `{name}` | {_allowed(values)} | {_default(values, name in needed)} |"
    yield ""


def _allowed(values: dict[str, Any]) -> str:
    if "$ref" in values or "oneOf" in values or "discriminator" in values:
        return "keys below"
    if "anyOf" in values:
        forms = (_allowed(form) for form in values["anyOf"] if form.get("type") != "null")
        return " or ".join(dict.fromkeys(forms))
    if "enum" in values or "const" in values:
        return ", ".join(f"`{value}`" for value in values.get("enum", [values.get("const")]))
    if values.get("type") == "array":
        return f"list of: {_allowed(values['items'])}"
    kind = "file or folder" if values.get("format") == "path" else TYPES[values["type"]]
    bounds = [f"{words} {values[bound]:,}" for bound, words in BOUNDS.items() if bound in values]
    return ", ".join([kind, *bounds])


def _default(values: dict[str, Any], required: bool) -> str:
    if required:
        return "needed"
    value = values.get("default")
    if value is None:
        return "not set"
    return "as below" if isinstance(value, dict) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(reference())
