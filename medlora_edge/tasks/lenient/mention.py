"""A mention of a label with the words around it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from medlora_edge.tasks.lenient import before
from medlora_edge.tasks.lenient.enumeration import listed
from medlora_edge.tasks.lenient.symbols import ANY, Kind, kind_of, place_of

_MENTION = re.compile(ANY)
_SENTENCE_END = re.compile(r"[!?\n]|\.(?!\d)")
_CLAUSE_END = re.compile(r"[,;:]| but ")
_BEFORE, _AFTER, _OPENING = 200, 120, 80
_FIRST_MENTIONS, _LAST_MENTIONS = 64, 512


@dataclass(frozen=True)
class Mention:
    """Mention of label number `place` at position `start`.

    `before` reaches back to the mention before it, `window` beyond that; `opens`: nothing of weight precedes it;
    `is_listed`: only an item in a list of all options.
    """

    start: int
    kind: Kind
    place: int
    window: str
    before: str
    after: str
    opens: bool
    is_listed: bool

    @property
    def sentence(self) -> str:
        """Its sentence, up to the mention."""
        return last_sentence(self.window)

    @property
    def starts_line(self) -> bool:
        """Whether its sentence is the first of a line."""
        ahead = self.window.removesuffix(self.sentence)
        return ahead.endswith("\n") or len(self.sentence) == self.start

    @property
    def is_asked(self) -> bool:
        """Whether its sentence ends as a question."""
        end = _SENTENCE_END.search(self.after)
        return end is not None and end[0] == "?"


def mentions(text: str) -> Iterator[Mention]:
    """Mentions in order. Of very many only the first and the last are given, so that the work stays linear."""
    starts = [found.start() for found in _MENTION.finditer(text)]
    in_list = listed(text)
    for number, start in enumerate(starts):
        if _FIRST_MENTIONS <= number < len(starts) - _LAST_MENTIONS:
            continue
        previous = starts[number - 1] + 1 if number else 0
        yield Mention(
            start=start,
            kind=kind_of(text[start]),
            place=place_of(text[start]),
            window=text[max(0, start - _BEFORE) : start],
            before=text[max(previous, start - _BEFORE) : start],
            after=text[start + 1 : start + 1 + _AFTER],
            opens=start <= _OPENING and _opens(text, start, previous),
            is_listed=start in in_list,
        )


def _opens(text: str, start: int, previous: int) -> bool:
    """Whether nothing of weight precedes; `previous`: behind the mention before, or 0."""
    if previous and _SENTENCE_END.search(text, previous, start):
        return False
    return before.OPENING.fullmatch(text, 0, start) is not None


def has_mention(text: str) -> bool:
    """Whether any label is mentioned in `text`."""
    return _MENTION.search(text) is not None


def last_sentence(text: str) -> str:
    """What stands after the last end of a sentence or line."""
    return _SENTENCE_END.split(text)[-1]


def last_clause(sentence: str) -> str:
    """What stands after the last comma, colon, semicolon or "but"."""
    return _CLAUSE_END.split(sentence)[-1]
