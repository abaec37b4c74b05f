"""Answers stated in so many words: "the answer is B", "I would choose B", "B is correct"."""

import re

from medlora_edge.tasks.lenient import after, before, manner
from medlora_edge.tasks.lenient.mention import Mention, last_clause, last_sentence
from medlora_edge.tasks.lenient.statement import Statement, Weight
from medlora_edge.tasks.lenient.symbols import NOBODY, Kind


def frame_before(mention: Mention) -> re.Match[str] | None:
    """The words before the mention that make it an answer; the firmest kind that is there."""
    patterns = [*before.FIRM, *(before.NEEDS_BOUNDARY if after.BOUNDARY.match(mention.after) else ())]
    matches = (pattern.search(mention.before) for pattern in patterns)
    return next((match for match in matches if match), None)


def framed(mention: Mention, frame: re.Match[str]) -> Statement | None:
    """Statement made by the words before the mention, or None if the sentence takes it back."""
    if after.CONDITION.match(mention.after):
        return None
    if mention.place == NOBODY and frame.re in (before.OPINION, before.EVIDENCE):
        return None
    sentence = last_sentence(mention.window[: len(mention.window) - len(frame[0])])
    clause = last_clause(sentence)
    if manner.DOUBTED.search(clause) or manner.DENIED_WITHIN.search(frame[0]):
        return None
    if manner.REPORTED.search(clause + frame[0]) or manner.CONDITIONAL.search(sentence + frame[0]):
        return None
    about_this = manner.TURN.split(last_sentence(mention.before))[-1]
    return Statement(
        start=mention.start,
        place=mention.place,
        weight=_weight(mention, frame, sentence[-40:] + frame[0]),
        revises=frame.re is before.CORRECTION,
        tentative=manner.TENTATIVE.search(about_this) is not None,
        is_field=frame.re is before.FIELD,
    )


def praised(mention: Mention) -> Statement | None:
    """Statement made by the words after the mention. A bare letter must not end a name, as in "hepatitis B"."""
    if mention.kind is Kind.BARE and not before.SUBJECT_START.search(mention.window):
        return None
    if not after.PRAISE.match(mention.after) and not after.TICK.match(mention.after):
        return None
    clause = last_clause(mention.sentence)
    if manner.REPORTED.search(clause) or manner.DOUBTED.search(clause):
        return None
    if manner.CONDITIONAL.search(mention.sentence):
        return None
    return Statement(mention.start, mention.place, Weight.PLAIN)


def _weight(mention: Mention, frame: re.Match[str], words: str) -> Weight:
    if manner.FINAL.search(words):
        return Weight.FINAL
    is_hint = frame.re in (before.IT_IS, before.EVIDENCE) and mention.kind is Kind.TEXT
    return Weight.WEAK if is_hint or frame.re is before.CLINICAL else Weight.PLAIN
