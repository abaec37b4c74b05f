"""Checks a document against the schema and says each mistake in words: allowed values, nearest key."""

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from build_tools.recipe.other_trainers import SENTENCES, VALUES
from build_tools.recipe.problems import Loc, Problem
from build_tools.recipe.schema import Recipe
from build_tools.recipe.schema_walk import TAGS, keys_at, places_of, tags_at

LONGEST_VALUE = 60
FOLLOWS = {"literal_error", "path_type", "too_short"}  # said of a part because of a mistake inside it


def validate(data: Any) -> tuple[Recipe | None, list[Problem]]:
    """The recipe, or every problem that the schema has with it."""
    try:
        return Recipe.model_validate(data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = _explain(details, data)
    guessed = _with_nearest_tags(details, data)
    if guessed is not None:
        known = {problem.loc for problem in problems}
        problems += [problem for problem in validate(guessed)[1] if problem.loc not in known]
    return None, problems


def value_at(data: Any, loc: Loc) -> Any:
    """What stands at `loc`; None where nothing does."""
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _nearest(word: Any, known: Sequence[str], *, alike: float = 0.6) -> str:
    """`; did you mean x?`, or nothing; `alike` as difflib counts it."""
    close = get_close_matches(str(word), known, n=1, cutoff=alike)
    return f"; did you mean {close[0]}?" if close else ""


def _explain(details: Iterable[ErrorDetails], data: Any) -> list[Problem]:
    """One problem a place: a value that fits none of several forms is told of once."""
    by_place: dict[Loc, list[ErrorDetails]] = {}
    for detail in details:
        by_place.setdefault(_place(detail, data), []).append(detail)
    problems = []
    for place, found in by_place.items():
        inside = any(other[: len(place)] == place and other != place for other in by_place)
        kept = _worth_telling(found, value_at(data, place), inside=inside)
        words = list(dict.fromkeys(_words(detail, place, data) for detail in kept))
        if words:
            problems.append(Problem(place, " or ".join(words)))
    return problems


def _worth_telling(found: list[ErrorDetails], value: Any, *, inside: bool) -> list[ErrorDetails]:
    """Without what follows from a mistake inside the part, and without words that a list or mapping cannot be."""
    if inside:
        return [detail for detail in found if detail["type"] not in FOLLOWS]
    others = [detail for detail in found if detail["type"] != "literal_error"]
    return others if others and isinstance(value, list | dict) else found


def _place(detail: ErrorDetails, data: Any) -> Loc:
    """The error's place in the document: without the names that pydantic gives to the forms of a union."""
    place: list[str | int] = []
    node = data
    parts = detail["loc"]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        names_form = isinstance(node, dict) and not last and part in (node.get(tag) for tag in TAGS)
        inside = part in node if isinstance(node, dict) else isinstance(node, list) and isinstance(part, int)
        if inside and not names_form:
            place.append(part)
            node = node[part]
        elif last and detail["type"] == "missing":
            place.append(part)
    if detail["type"].startswith("union_tag"):
        place.append(detail["ctx"]["discriminator"].strip("'"))
    return tuple(place)


def _words(detail: ErrorDetails, place: Loc, data: Any) -> str:
    """What is wrong with the key, or with its value."""
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(str(place[-1]), keys_at(data, place[:-1]))
        case "missing":
            return "this key is missing"
        case "union_tag_not_found":
            return f"this key is missing; one of {', '.join(tags_at(data, place[:-1], str(place[-1])))}"
        case "union_tag_invalid":
            return _unknown_value(value_at(data, place), tags_at(data, place[:-1], str(place[-1])))
        case "literal_error":
            allowed = re.findall(r"[^\s',]+", detail["ctx"]["expected"].replace(" or ", " "))
            return _unknown_value(value_at(data, place), allowed)
    return f"{repr(value_at(data, place))[:LONGEST_VALUE]} {_unfit(detail, keys_at(data, place))}"


def _unfit(detail: ErrorDetails, keys: Sequence[str]) -> str:
    """What a value should be; `keys` that a mapping may have in its place."""
    wanted, limits = detail["msg"].removeprefix("Input "), detail.get("ctx", {})
    ours = {
        "model_type": f"is not a mapping; its keys: {', '.join(keys)}",
        "tuple_type": "is not a list",
        "too_short": f"has fewer than {limits.get('min_length')} items",
        "string_pattern_mismatch": f"does not have the form {limits.get('pattern')}",
        "bool_type": f"{wanted}; true or false",
        "string_type": f"{wanted}; put it in quotes",
    }
    return ours.get(detail["type"], wanted)


def _unknown_key(key: str, known: Sequence[str]) -> str:
    meant = _nearest(key, known, alike=0.8)
    if sentence := SENTENCES.get(key):
        meant = f"; {sentence}"
    elif not meant and (places := places_of(key)):
        meant = f"; it belongs in {' or '.join(places)}"
    return f"unknown key{meant or _nearest(key, known)}; allowed here: {', '.join(known)}"


def _unknown_value(value: Any, allowed: Sequence[str]) -> str:
    hint = f"; {VALUES[value]}" if isinstance(value, str) and value in VALUES else _nearest(value, allowed)
    return f"{str(value)[:LONGEST_VALUE]!r} is not allowed; one of {', '.join(allowed)}{hint}"


def _with_nearest_tags(details: Iterable[ErrorDetails], data: Any) -> Any | None:
    """The document with each wrong `kind` or `format` mended, so that what it hides is told too; None without any."""
    wrong = [_place(detail, data) for detail in details if detail["type"] == "union_tag_invalid"]
    if not wrong:
        return None
    mended = deepcopy(data)
    for *above, tag in wrong:
        known = tags_at(data, tuple(above), str(tag))
        part = value_at(mended, tuple(above))
        part[tag] = (get_close_matches(str(part[tag]), known, n=1) or known)[0]
    return mended
