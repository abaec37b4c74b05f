"""Finds the words yes, no and maybe where they are answers, and leaves "no difference" alone."""

import re
from collections.abc import Sequence

from medlora_edge.tasks.lenient.markup import without_emphasis
from medlora_edge.tasks.lenient.symbols import Kind, symbol

_GOES_ON = (
    r"because|since|it|this|these|those|there|they|the|we|i|he|she|based|according|as|due|given|but|is|would"
    r"|(?:and|or|nor) (?:yes|no|maybe)"
)
_ANSWER_ENDS = rf"(?=\s*(?:$|[,;:!?)(\]/\n|\u2713\u2717]|\.(?! ?(?:\d+ )?of\b)|-[ >]| ?=>| (?:{_GOES_ON})\b))"
_OPTION_LETTER = re.compile(
    r"(?:^|(?<=: )|(?<=\bis )) ?\(?[A-C][).] ?(?=yes\b|no\b|maybe\b)", re.IGNORECASE | re.MULTILINE
)
_MAY_BE = re.compile(r"\bmay be(?=\s*(?:[.,;:!)]|$))", re.IGNORECASE)
_SCOPE = r"(?:,? (?:in|for|among|when|if|with)\b| ?\()"
_OWN_SCOPE = (
    r"(?:,? (?:in|for|among|when|if|with)\b(?!-)| ?\([^()\n]{1,80}\)(?=\s*(?:$|[.,;!])))"  # not "no in-hospital"
)
_DIVIDED = re.compile(
    rf"\b(?P<one>yes|no|maybe){_SCOPE}[^\n]{{1,80}}?(?:[;,./-]|\b(?:and|but|while|whereas)\b,?) ?"
    rf"\b(?!(?P=one)\b)(?:yes|no|maybe){_OWN_SCOPE}",
    re.IGNORECASE,
)
_QUOTED_QUESTION = re.compile(r'"[^"\n]{1,300}\?"')
_NEITHER = re.compile(r"\bneither (?:yes nor no|no nor yes)\b,?(?: but\b)?", re.IGNORECASE)


def mark_words(text: str, words: Sequence[str]) -> str:
    """`text` (plain lines) with every word that is an answer as a symbol."""
    places = {word: place for place, word in enumerate(words)}

    def mark(found: re.Match[str]) -> str:
        return symbol(Kind.WORD, places[found["word"].lower()]) + found.groupdict().get("end", "")

    choice = "|".join(words)
    quoted = re.compile(rf"(?P<quote>[\"'`]) ?(?P<word>{choice})(?P<end>[.,;:!]?) ?(?P=quote)", re.IGNORECASE)
    always = re.compile(r"(?<![\w-])(?P<word>yes)(?![\w'-])", re.IGNORECASE)
    ending = re.compile(rf"(?<![\w-])(?P<word>{choice})(?![\w'])(?!-\w){_ANSWER_ENDS}", re.IGNORECASE)
    bracketed = re.compile(rf"[(\[](?P<word>{choice})[)\]]", re.IGNORECASE)
    text = bracketed.sub(mark, without_emphasis(quoted.sub(mark, _QUOTED_QUESTION.sub(" ", text))))
    text = _NEITHER.sub(" ", text)
    text = _OPTION_LETTER.sub(" ", _DIVIDED.sub(" ", text))
    return ending.sub(mark, always.sub(mark, _MAY_BE.sub("maybe", text)))
