"""Lenient reading: the answer a careful reader takes from a free response, or no verdict.

A response is folded to plain characters, freed of its thinking and its markup; every mention of a label
becomes one symbol; the words around a symbol decide whether it states an answer; the last statement counts.
Linear in the length of the response.
"""

from collections.abc import Callable, Mapping, Sequence

from medlora_edge.tasks.lenient.characters import fold
from medlora_edge.tasks.lenient.combine import combine
from medlora_edge.tasks.lenient.extent import before_next_question, outside_thinking, own_turn
from medlora_edge.tasks.lenient.letters import mark_letters
from medlora_edge.tasks.lenient.markup import plain_lines
from medlora_edge.tasks.lenient.option_texts import same_text
from medlora_edge.tasks.lenient.verdict import verdict
from medlora_edge.tasks.lenient.words import mark_words

__all__ = ["READER_VERSION", "read_letter", "read_word"]

READER_VERSION = "2"


def read_word(response: str, words: Sequence[str]) -> str | None:
    """The word (yes, no, maybe) that `response` answers with, or None."""
    spoken = _spoken(response)
    place = _place(spoken, lambda text: mark_words(text, words)) if spoken else None
    return None if place is None else words[place]


def read_letter(response: str, options: Mapping[str, str]) -> str | None:
    """Letter of the option that `response` answers with, or None. Option texts may be empty if unknown."""
    spoken = _spoken(response)
    if not spoken:
        return None
    letters = tuple(options)
    if spoken.strip().upper() in letters:
        return spoken.strip().upper()
    letter = _as_trained(spoken, options) or same_text(spoken, options)
    if letter:
        return letter
    place = _place(spoken, lambda text: mark_letters(text, options))
    return None if place is None else letters[place]


def _spoken(response: str) -> str | None:
    spoken = outside_thinking(fold(response))
    return None if spoken is None else own_turn(spoken)


def _as_trained(spoken: str, options: Mapping[str, str]) -> str | None:
    """Letter of `(A) option text`, whatever the text says."""
    answer = spoken.strip()
    whole = {letter for letter, text in options.items() if text and answer == f"({letter}) {fold(text).strip()}"}
    return whole.pop() if len(whole) == 1 else None


def _place(spoken: str, mark: Callable[[str], str]) -> int | None:
    lines = plain_lines(spoken)
    first_part = before_next_question(lines)
    place = verdict(combine(mark(first_part)))
    if place is None and first_part != lines:
        place = verdict(combine(mark(lines)))
    return place
