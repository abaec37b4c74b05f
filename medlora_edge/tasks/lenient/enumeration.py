"""Finds letters that only list the options one by one, as a response does that goes through all of them."""

import re
from itertools import pairwise

from medlora_edge.tasks.lenient.symbols import LETTER, NOBODY, place_of

_START = re.compile(rf"(?:^|[.;] ) ?({LETTER})", re.MULTILINE)
_SPEAKS = re.compile(r" ?(?:is|was|are|would|could|should|may|might|can|cannot|has|does)\b")
_ABOUT_OTHERS = re.compile(r"\b(?:others?|why not|explanations?|rationale|remaining|reason\w*)\b", re.IGNORECASE)


def listed(text: str) -> frozenset[int]:
    """Positions of letters that belong to a list: at starts of lines or sentences, from A down or side by side."""
    found = [(match.start(1), place_of(match[1])) for match in _START.finditer(text)]
    positions: set[int] = set()
    for (start, place), (following, next_place) in pairwise(found):
        if place == NOBODY or next_place != place + 1:
            continue
        if start not in positions and _speaks(text, following) and not _speaks(text, start):
            continue  # "A. B is wrong because ...": an answer, then the others
        between = text[start:following]
        is_neighbour = between.count("\n") == 1
        goes_on = start in positions or (place == 0 and not _ABOUT_OTHERS.search(between))
        if is_neighbour or goes_on:
            positions |= {start, following}
    return frozenset(positions)


def _speaks(text: str, position: int) -> bool:
    """Whether a sentence about the letter begins there, and not only its option's text."""
    return _SPEAKS.match(text, position + 1) is not None
