"""A question from what a trial's title or objective says, after docs/trial-questions.md, version 1."""

import re
from collections.abc import Iterable, Iterator

LONGEST = 40  # words
_BARE_SUBJECT = 9  # words before a verb; longer ones are rarely one noun phrase

_PURPOSE = re.compile(
    r"\b(aim|aims|aimed|objective|objectives|purpose|hypothes\w+|to (assess|evaluate|determine|investigate|examine|"
    r"study|test|explore)|we (assessed|evaluated|determined|investigated|examined|studied|tested))\b",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(?:^|[:.] )((?:does|do|is|are|can)\b[^?:]+)\?", re.IGNORECASE)
_EFFECT = re.compile(
    r"\b(effects?|impacts?|influence) of (?P<what>[^;:.?]+?)(?<! based) (?:up)?on (?P<where>[^;:.?]+)", re.IGNORECASE
)
_EFFICACY = re.compile(
    r"\b(effectiveness|efficacy)(?: and [\w-]+)? of (?P<what>[^;:.?]+?) (?P<link>in|for) (?P<where>[^;:.?]+)",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"\bwhether (?P<clause>[^;:.?]+)", re.IGNORECASE)
_AUXILIARIES = ("is", "are", "was", "were", "can", "could", "would", "will")
_PRESENT = {"was": "is", "were": "are", "could": "can", "would": "will"}
_VERBS = {
    verb: stem
    for stem, forms in {
        "improve": "improve improves improved",
        "reduce": "reduce reduces reduced",
        "increase": "increases increased",
        "decrease": "decreases decreased",
        "prevent": "prevent prevents prevented",
        "enhance": "enhance enhances enhanced",
        "lower": "lowers lowered",
        "affect": "affect affects affected",
        "influence": "influences influenced",
        "shorten": "shortens shortened",
        "attenuate": "attenuates attenuated",
        "alter": "alters altered",
        "lead to": "leads",
        "provide": "provides provided",
        "promote": "promotes promoted",
        "accelerate": "accelerates accelerated",
        "alleviate": "alleviates alleviated",
        "protect": "protects protected",
    }.items()
    for verb in forms.split()
}
_BREAKS = frozenset(["who", "which", "that", "whose", "where", "when", "if", "whether", "as", "because", "while"])
_SECOND_CLAUSE = re.compile(rf"\band (whether|how|which|if|benefitt?ed|{'|'.join(_VERBS)})\b", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b(versus|vs|compar\w+|non-?inferior\w*|superior\w*|equivalen\w*|cost\w*|safety|safe|tolerab\w*|feasib\w*|"
    r"acceptab\w*|pharmacokinetic\w*|adverse|harm\w*|different|differ\w*|same|similar\w*|protocol|predict\w*|"
    r"moderat\w+|depends|but not|affect \w+ing|this|these|those|it|they|their|its|our|such)\b|[()\[\]]",
    re.IGNORECASE,
)


def question(title: str, objectives: Iterable[str]) -> str | None:
    """The first question that the title, else a sentence of the objective, gives; None where the rule finds none."""
    candidates = [*_of_title(title), *(found for text in objectives if _PURPOSE.search(text) for found in _of(text))]
    return next((found for found in candidates if _may_ask(found)), None)


def _of_title(title: str) -> Iterator[str]:
    """A question that the title asks itself, or what it announces; its second half names the design."""
    asked = _ASKED.search(title)
    if asked:
        yield f"{asked[1][0].upper()}{asked[1][1:].strip()}?"
    announced = re.split(r"[:?]| [\u2013\u2014-] |\. ", title)[0]
    yield from _of(announced)
    yield from _clause(announced)


def _of(text: str) -> Iterator[str]:
    bare = _without_brackets(text)
    if found := _EFFECT.search(bare):
        yield f"{_do(found['what'])} {_tail(found['what'])} affect {_tail(found['where'])}?"
    if (found := _EFFICACY.search(bare)) and " on " not in found["what"]:
        yield f"{_be(found['what'])} {_tail(found['what'])} effective {found['link'].lower()} {_tail(found['where'])}?"
    if found := _WHETHER.search(bare):
        yield from _clause(found["clause"])


def _clause(text: str) -> Iterator[str]:
    """`X improves Y` and `X is Y`, turned round: the verb has to come soon, with nothing before it that holds one."""
    words = _without_brackets(text).split()
    for place, word in enumerate(words[: _BARE_SUBJECT + 1]):
        subject, rest = " ".join(words[:place]), " ".join(words[place + 1 :])
        if word.lower() in _BREAKS or word.endswith(","):
            return
        if not (place and rest) or words[place - 1].lower() in ("to", "for", "of", "in", "with", "and"):
            continue
        if word in _AUXILIARIES:
            first = _PRESENT.get(word, word)
            yield f"{first.capitalize()} {_lowered(subject)} {_tail(rest)}?"
            return
        if word.lower() in _VERBS:
            yield f"{_do(subject)} {_lowered(subject)} {_VERBS[word.lower()]} {_tail(rest.removeprefix('to '))}?"
            return
        negated = rest.split()
        if word in ("does", "do", "did") and len(negated) > 2 and negated[0] == "not" and negated[1] in _VERBS:
            yield f"{_do(subject)} {_lowered(subject)} {negated[1]} {_tail(' '.join(negated[2:]))}?"
            return


def _may_ask(text: str) -> bool:
    fits = 5 <= len(text.split()) <= LONGEST and text.isprintable()
    return fits and not _REFUSED.search(text) and not _SECOND_CLAUSE.search(text)


def _do(subject: str) -> str:
    return "Do" if _plural(subject) else "Does"


def _be(subject: str) -> str:
    return "Are" if _plural(subject) else "Is"


def _plural(subject: str) -> bool:
    """By the noun before the first preposition."""
    head = re.split(r" (?:of|in|on|with|by|for|to|from|at|during|after|using) ", subject)[0].split()
    last = head[-1].lower() if head else ""
    return " and " in f" {' '.join(head)} " or (last.endswith("s") and not last.endswith(("ss", "is", "us", "ics")))


def _without_brackets(text: str) -> str:
    return re.sub(r"\s*[(\[][^)\]]*[)\]]", "", text)


def _tail(text: str) -> str:
    return text.strip(" ,.;:-\u2013\u2014")


def _lowered(subject: str) -> str:
    """Without the capital of a sentence's beginning, unless the word has more of them or digits."""
    first, _, rest = subject.partition(" ")
    plain = first[:1].isupper() and first[1:].islower()
    return f"{first.lower() if plain else first} {rest}".strip()
