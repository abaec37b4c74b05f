"""Yes, no or maybe from a trial's conclusion, after docs/trial-questions.md, version 1: in doubt, nothing."""

import re
from collections.abc import Sequence

_PLAN = re.compile(
    r"\b(will|would (?:be|provide|help)|this (?:trial|study|protocol) (?:is|aims)|is designed|protocol|"
    r"if (?:successful|effective|proven|found|shown))\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:did|does|do|was|were|is|are|has|had|have|could|can) not\b|"
    r"\bno (?:\w+ly )?(?:additional |beneficial |clear |consistent |overall |statistically )*"
    r"(?:significant |clinical\w* )*"
    r"(?:effects?|differences?|evidence|benefits?|improvements?|impact|influence|changes?|reductions?|advantages?|"
    r"association)\b|"
    r"\bnot (?:\w+ly )?(?:improve|reduce|affect|influence|associated|effective|superior|increase|decrease)|"
    r"\bfail(?:ed|s)? to\b|\bineffective\b|\black of (?:effect|efficacy|benefit)|\bneither\b",
    re.IGNORECASE,
)
_ANY_NO = re.compile(
    r"\b(no|not|nor|neither|without|fail\w*|lack\w*|ineffective|unchanged|unlikely|none|only)\b", re.IGNORECASE
)
_GAIN = re.compile(
    r"\b(improv(?:es|ed|e|ing|ement|ements)|reduc(?:es|ed|e|ing|tion|tions)|increas(?:es|ed|e|ing)|decreas(?:es|ed|e|ing)|"
    r"effective|efficacious|efficient|beneficial|prevent(?:s|ed|ing)|enhanc(?:es|ed|e|ing)|lower(?:s|ed|ing)|"
    r"attenuat(?:es|ed)|alleviat(?:es|ed)|shorten(?:s|ed)|affect(?:s|ed)|led to|leads to|result(?:s|ed) in|"
    r"accelerat(?:es|ed)|protect(?:s|ed)|promot(?:es|ed)|greater|higher|better|some (?:effect|improvement|benefit))\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(may|might|could|seems?|appears?|potential(?:ly)?|possib\w+|promis\w+|tends?|trend|tentative\w*|preliminary|"
    r"pilot|partial\w*|marginal\w*|further)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(
    r"\b(but|however|although|though|while|whereas|despite|except|nevertheless|nonetheless|yet|in contrast|"
    r"on the other hand|otherwise|rather|unless)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(inconclusive|unclear|uncertain|equivocal|conflicting|mixed (?:results|findings|effects)|insufficient evidence|"
    r"(?:cannot|could not|can not) be (?:determined|confirmed|excluded|drawn|established)|"
    r"no (?:firm|definit\w+|clear) conclusions?|limited evidence|inconsistent)\b",
    re.IGNORECASE,
)
_STOP_WORDS = frozenset(
    [
        "does",
        "affect",
        "effective",
        "with",
        "from",
        "that",
        "into",
        "among",
        "patients",
        "during",
        "after",
        "before",
        "using",
    ]
)


def label(question: str, conclusion: Sequence[str]) -> str | None:
    """What the conclusion's sentences answer; None where the rule cannot tell.

    yes: the first sentence states a gain, with no negation, contrast or hedge there, and no negation after it. no: the
    first sentence states that there was none, with no contrast there, and no gain before or after it. maybe: the
    conclusion says that the matter is open, or its first sentence joins a gain and a negation by a contrast.
    """
    whole = " ".join(conclusion)
    if not conclusion or _PLAN.search(whole) or not _same_matter(question, whole):
        return None
    first, rest = conclusion[0], " ".join(conclusion[1:])
    if _OPEN.search(whole) or _mixed(first):
        return "maybe"
    if _CONTRAST.search(first) or _HEDGE.search(first):
        return None
    if _NEGATION.search(first):
        return None if _GAIN.search(rest) or _GAIN.search(_before_negation(first)) else "no"
    return "yes" if _gains(first) and not _NEGATION.search(rest) else None


def _mixed(sentence: str) -> bool:
    """A gain on one side of a contrast, a negation on the other."""
    sides = _CONTRAST.split(sentence, maxsplit=1)
    if len(sides) != 3 or _HEDGE.search(sentence) or "between" in sides[2]:  # no difference between two that both work
        return False
    before, after = sides[0], sides[2]
    return (_gains(before) and bool(_NEGATION.search(after))) or (bool(_NEGATION.search(before)) and _gains(after))


def _gains(text: str) -> bool:
    return bool(_GAIN.search(text)) and not _ANY_NO.search(text)


def _before_negation(sentence: str) -> str:
    found = _NEGATION.search(sentence)
    return sentence[: found.start()] if found else sentence


def _same_matter(question: str, conclusion: str) -> bool:
    """Whether the conclusion has two of the question's longer words, by their first five letters."""
    there = {word[:5] for word in re.findall(r"\w{4,}", conclusion.lower())}
    asked = {word[:5] for word in re.findall(r"\w{4,}", question.lower()) if word not in _STOP_WORDS}
    return len(asked & there) >= 2
