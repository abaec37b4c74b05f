"""Weighs the statements of a response: the last one counts, a contradiction counts for nobody."""

import re
from dataclasses import replace

from medlora_edge.tasks.lenient.before import REVISION
from medlora_edge.tasks.lenient.statement import Statement, Weight
from medlora_edge.tasks.lenient.statements import statements
from medlora_edge.tasks.lenient.symbols import NOBODY

_LOOK_BACK = 400
_SENTENCE = re.compile(r"\w\W{1,3}\w+ \w+ \w+")


def verdict(text: str) -> int | None:
    """Number of the label that `text` (mentions as symbols) ends up with, or None."""
    current: Statement | None = None
    for said in _heard(statements(text)):
        if current is not None:
            current = _after(current, said, text)
        elif not said.is_denial:
            current = said
    return None if current is None or current.place == NOBODY else current.place


def _heard(found: list[Statement]) -> list[Statement]:
    """Denials, and the statements of the firmest kind there is; final and plain ones are heard together."""
    firmest = max((min(said.weight, Weight.PLAIN) for said in found if not said.is_denial), default=Weight.PLAIN)
    return [said for said in found if said.is_denial or min(said.weight, Weight.PLAIN) == firmest]


def _after(current: Statement, new: Statement, text: str) -> Statement:
    """What stands once `new` is said after `current`."""
    if new.is_denial:
        return replace(current, place=NOBODY, tentative=True) if new.place == current.place else current
    if new.place == current.place:
        return new if new.weight >= current.weight else replace(new, weight=current.weight)
    if _replaces(current, new, text):
        return new
    if new.tentative and not current.tentative:
        return current
    return replace(new, place=NOBODY, weight=max(current.weight, new.weight), is_field=False)


def _replaces(current: Statement, new: Statement, text: str) -> bool:
    if new.revises or new.weight > current.weight or (current.tentative and not new.tentative):
        return True
    between = text[max(current.start + 1, new.start - _LOOK_BACK) : new.start]
    if REVISION.search(between):
        return True
    is_repeated = current.is_field and new.is_field and new.weight == current.weight
    return is_repeated and _SENTENCE.search(between) is not None
