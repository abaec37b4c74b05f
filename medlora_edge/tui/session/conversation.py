"""Which turns the model is shown, and as which prompt."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from medlora_edge.engine.protocol import Message, Role, Sampling
from medlora_edge.errors import UsageError
from medlora_edge.history.records import TaskName, Turn, TurnState
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question, task

PLACE = "\ufffc"  # stands where the question will (object replacement character)
TITLE_LENGTH = 60
SEEDS = 0xFFFFFFFF  # the highest 32-bit value means "random" to llama.cpp, so it is left out


def in_context(
    turns: Iterable[Turn], before: int | None = None, shown: Collection[int] = frozenset()
) -> tuple[Turn, ...]:
    """Turns that the next question builds on, in the order in which they were first asked.

    Of a question that was asked more than once, the whole answer that is `shown`, else the last one to what is shown
    of the question; an answer that was stopped, cut or failed is none.
    `before`: only what was asked before that turn, and so the context of its retry.
    """
    turns = tuple(turns)
    roots = _roots(turns)
    first = roots.get(before, before) if before is not None else None
    asked = {roots[turn.id]: turn.question for turn in turns if turn.id in shown}
    chosen: dict[int, Turn] = {}
    for turn in turns:
        root = roots[turn.id]
        whole = turn.state is TurnState.DONE and turn.answer.strip() and turn.question == asked.get(root, turn.question)
        if whole and (root not in chosen or chosen[root].id not in shown):
            chosen[root] = turn
    return tuple(chosen[root] for root in sorted(chosen) if first is None or root < first)


def messages(name: TaskName, question: Question, earlier: Sequence[Turn]) -> tuple[Message, ...]:
    """The prompt: an open question goes on from `earlier`, every other one stands alone.

    Raises UsageError when the question lacks a part that its task needs.
    """
    own = task(name).messages(question)
    if name != "ask":
        return own
    return (*own[:-1], *(message for turn in earlier for message in _said(turn)), own[-1])


def counted(name: TaskName, question: Question, earlier: Sequence[Turn]) -> tuple[Message, ...]:
    """What is counted while a question is typed: one that lacks a part still counts as an open question, an empty one
    as next to nothing behind the turns it builds on.
    """
    try:
        return messages(name, question, earlier)
    except UsageError:
        open_question = replace(question, question=question.question.strip() or PLACE)
        return messages("ask", open_question, earlier if name == "ask" else ())


def typed_so_far(name: TaskName, question: Question, earlier: Sequence[Turn]) -> tuple[Message, ...]:
    """The prompt up to where more may be typed. Raises UsageError when there is nothing to compute yet."""
    if question.question.strip() or not any(context.strip() for context in question.contexts):
        return messages(name, question, earlier)
    *before, last = messages(name, replace(question, question=PLACE), earlier)
    return (*before, last.model_copy(update={"content": last.content.rpartition(PLACE)[0]}))


def goes_on_from(longer: Sequence[Message], beginning: Sequence[Message]) -> bool:
    """Whether `longer` is `beginning` with more words behind its last turn."""
    if len(longer) != len(beginning) or longer[:-1] != beginning[:-1]:
        return False
    return longer[-1].content.startswith(beginning[-1].content)


def sampling(turn: Turn) -> Sampling:
    """The chat's sampling. The seed is the turn's own, so that a retry says something else."""
    return Sampling(seed=turn.id % SEEDS)


def title(question: Question) -> str:
    """A chat's name by its first question: one short line."""
    words = " ".join(clean(question.question).split())
    return words if len(words) <= TITLE_LENGTH else f"{words[: TITLE_LENGTH - 1].rstrip()}\u2026"


def _said(turn: Turn) -> tuple[Message, Message]:
    asked = task(turn.task).messages(turn.question)[-1]
    return asked, Message(role=Role.ASSISTANT, content=turn.answer)


def _roots(turns: Iterable[Turn]) -> dict[int, int]:
    """By turn: the first one of those that ask the same again and again, be it in other words."""
    roots: dict[int, int] = {}
    for turn in turns:
        asked = turn.id if turn.retry_of is None else turn.retry_of
        roots[turn.id] = roots.get(asked, asked)
    return roots
