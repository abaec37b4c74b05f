"""Turns the mentions of labels in a response into the answers it states."""

from medlora_edge.tasks.lenient import after, before
from medlora_edge.tasks.lenient.alone import alone
from medlora_edge.tasks.lenient.framed import frame_before, framed, praised
from medlora_edge.tasks.lenient.mention import Mention, mentions
from medlora_edge.tasks.lenient.statement import Statement, Weight
from medlora_edge.tasks.lenient.symbols import Kind


def statements(text: str) -> list[Statement]:
    """Statements in `text` (mentions as symbols), in order of appearance."""
    judged = (_judge(mention) for mention in mentions(text))
    return [statement for statement in judged if statement is not None]


def _judge(mention: Mention) -> Statement | None:
    if mention.is_asked:
        return None
    if _is_denied(mention):
        return _denial(mention)
    frame = frame_before(mention)
    if frame:
        return framed(mention, frame)
    return praised(mention) or alone(mention)


def _is_denied(mention: Mention) -> bool:
    if before.NEGATION.search(mention.window):
        return True
    if after.SCORE.match(mention.after) or after.IN_PASSING.match(mention.after):
        return True
    return mention.kind is not Kind.WORD and after.DENIAL.match(mention.after) is not None


def _denial(mention: Mention) -> Statement | None:
    """A plain "it is not B" or "B is wrong"; an option's text is denied too often for other reasons."""
    says_so = before.DENIAL.search(mention.before) or after.WRONG.match(mention.after)
    if mention.kind is Kind.TEXT or not says_so:
        return None
    return Statement(mention.start, mention.place, Weight.ASIDE, is_denial=True)
