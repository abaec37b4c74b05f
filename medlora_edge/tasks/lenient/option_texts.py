"""Finds the options' own texts in a response."""

import re
from collections.abc import Callable, Iterator, Mapping

from medlora_edge.tasks.lenient.characters import fold
from medlora_edge.tasks.lenient.markup import plain_lines, without_emphasis
from medlora_edge.tasks.lenient.symbols import NOT_ANY, Kind, symbol

_ARTICLE = re.compile(r"(?:an?|the) ")
_EDGES = " .,;:!"
_WORD = re.compile(r"\w+")
_TEXT_ENDS = re.compile(
    rf"\s*(?:$|[.,;:!?)(\]/\n{NOT_ANY}\u2713\u2717]|-[ >]"
    r"|(?:because|since|as|is|are|was|would|due|for|which|given|in|based|and|or|but|not|rather|over|seems|best)\b)"
)


def searchable(text: str) -> str:
    """Form under which a text is looked for: plain, small letters, one line, no punctuation at the ends."""
    plain = without_emphasis(plain_lines(fold(text))).lower().replace("\n", " ")
    return plain.strip(_EDGES)


def same_text(response: str, options: Mapping[str, str]) -> str | None:
    """Letter of the one option whose text `response` is: to the letter, else up to markup, else up to punctuation."""
    forms: tuple[Callable[[str], str], ...] = (str.strip, searchable, _words_only)
    for form in forms:
        wanted = form(response)
        letters = [letter for letter, text in options.items() if wanted and form(text) == wanted]
        if len(letters) == 1:
            return letters[0]
    return None


def mark_texts(text: str, options: Mapping[str, str]) -> str:
    """`text` with every option's text as a symbol; where texts overlap, the first, then the longest."""
    lowered = text.lower()
    parts: list[str] = []
    end = 0
    for start, length, place in sorted(_occurrences(lowered, options), key=lambda found: (found[0], -found[1])):
        if start >= end and (length > 12 or _TEXT_ENDS.match(lowered, start + length)):
            parts += [text[end:start], symbol(Kind.TEXT, place)]
            end = start + length
    return "".join([*parts, text[end:]])


def _words_only(text: str) -> str:
    return " ".join(_WORD.findall(searchable(text)))


def _occurrences(lowered: str, options: Mapping[str, str]) -> Iterator[tuple[int, int, int]]:
    keys = [(place, searchable(option)) for place, option in enumerate(options.values())]
    keys += [(place, _ARTICLE.sub("", key)) for place, key in keys if _ARTICLE.match(key)]
    for place, key in keys:
        names_letter = key.upper() in options or key == "i"
        if not key or names_letter or sum(key == other for _, other in keys) > 1:
            continue
        start = lowered.find(key)
        while start >= 0:
            end = start + len(key)
            if not _inside_word(lowered, start, end):
                yield start, len(key), place
            start = lowered.find(key, end)


def _inside_word(text: str, start: int, end: int) -> bool:
    before, first, last, after = text[start - 1 : start], text[start], text[end - 1], text[end : end + 1]
    return (_sticks(before) and first.isalnum()) or (last.isalnum() and _sticks(after))


def _sticks(neighbour: str) -> bool:
    return neighbour.isalnum() or neighbour in {"-", "%", "'"}
