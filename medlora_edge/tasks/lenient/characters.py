"""Any Unicode text in plain characters: one kind of quote, dash and space, nothing invisible."""

import re
import unicodedata
from functools import lru_cache

_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]{0,32}[@-~]")
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[ \t]{2,}|\t")
_BLANK_LINES = re.compile(r" ?\n[ \n]*")

_LONGEST = 4
_PLAIN = {
    "'": "\u2018\u2019\u201a\u201b\u2039\u203a\u02bc\u00b4",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f",
    "-": "\u2010\u2011\u2012\u2013\u2212",
    " - ": "\u2014\u2015",
    "->": "\u2192\u21d2\u279c\u27a1\u27f6",
    "*": "\u2022\u25cf\u25aa\u25e6",
    ".": "\u3002",
    ",": "\u3001",
    "[": "\u3010",
    "]": "\u3011",
    "\u2713": "\u2713\u2705\u2714\u2611",
    "\u2717": "\u2717\u274c\u2718\u2716",
}
_TABLE = {character: plain for plain, characters in _PLAIN.items() for character in characters}


def fold(text: str) -> str:
    """Plain form of `text`: compatibility characters resolved, accents and invisible characters dropped.

    Works character by character, because normalising a whole string is not linear in Python.
    """
    text = _NEWLINE.sub("\n", _TERMINAL_SEQUENCE.sub("", text))
    if not text.isascii() or not text.isprintable():
        text = "".join(map(_fold_character, text))
    return squeeze(text)


def squeeze(text: str) -> str:
    """Runs of spaces as one space, runs of line ends as one line end."""
    return _BLANK_LINES.sub("\n", _SPACES.sub(" ", text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in "\n\t":
        return character
    parts = unicodedata.normalize("NFKD", character)[:_LONGEST]
    return "".join(_TABLE[part] if part in _TABLE else _fold_part(part) for part in parts)


def _fold_part(part: str) -> str:
    category = unicodedata.category(part)
    if category in {"Zs", "So"}:
        return " "
    return "" if category[0] in "CM" else part
