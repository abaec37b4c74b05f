"""Answers that stand by themselves: at the beginning, as a sentence or line of their own, after a colon."""

import re

from medlora_edge.tasks.lenient import after, before, manner
from medlora_edge.tasks.lenient.mention import Mention, has_mention
from medlora_edge.tasks.lenient.statement import Statement, Weight
from medlora_edge.tasks.lenient.symbols import Kind

_ANY_WORD = re.compile(r"\w")
_WINDOW = 200


def alone(mention: Mention) -> Statement | None:
    """Statement made by the place of the mention, without words that say so."""
    if mention.is_listed:
        return None
    weight = _weight_of_word(mention) if mention.kind is Kind.WORD else _weight_of_option(mention)
    return None if weight is None else Statement(mention.start, mention.place, weight)


def _weight_of_word(mention: Mention) -> Weight | None:
    """For "Yes, ..." at the start of a sentence and "..., yes." at its end."""
    sentence = mention.sentence
    if after.SMALL_TALK.match(mention.after):
        return None
    if mention.opens and not _ANY_WORD.search(sentence):
        return Weight.PLAIN
    is_bound = after.BOUNDARY.match(mention.after)
    if not is_bound or manner.UNSURE.search(sentence) or manner.CONDITIONAL.search(sentence):
        return None
    if before.OPENING.fullmatch(sentence):
        answers_itself = mention.window.removesuffix(sentence).endswith("?")
        return Weight.ASIDE if answers_itself and not mention.opens else Weight.PLAIN
    if sentence.rstrip().endswith((",", ":", "-")):
        return Weight.PLAIN if manner.TURN.search(sentence) else Weight.WEAK
    return None


def _weight_of_option(mention: Mention) -> Weight | None:
    """For an option that opens the response or ends it."""
    if mention.opens:
        is_firm = mention.kind is Kind.MARKED or after.BOUNDARY.match(mention.after)
        return Weight.PLAIN if is_firm else None
    end = after.TEXT_END.fullmatch(mention.after)
    if end is None:
        return None
    if mention.starts_line and before.OPENING.fullmatch(mention.sentence):
        return Weight.PLAIN
    may_be_cut = mention.kind is Kind.MARKED and not end["mark"]
    if not mention.sentence.strip() and not may_be_cut:
        return Weight.PLAIN
    return Weight.WEAK if _is_named(mention, may_be_cut) or _ends_one_sentence(mention) else None


def _is_named(mention: Mention, may_be_cut: bool) -> bool:
    """For "Treatment: B" and "weighing the evidence, B"."""
    return mention.sentence.rstrip().endswith((":", ",")) and not has_mention(mention.sentence) and not may_be_cut


def _ends_one_sentence(mention: Mention) -> bool:
    """For a response of one sentence with the letter at its end: "Give metformin (B)."."""
    is_one = mention.sentence == mention.window == mention.before and mention.start < _WINDOW
    return is_one and mention.kind is Kind.MARKED and not before.IN_PASSING.search(mention.window)
