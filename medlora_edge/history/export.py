"""A chat as Markdown: every question and answer with what they were computed by.

Text that a model or a user wrote stands in block quotes, its links, images and tags escaped: it cannot pass for the
program's own words, and a viewer loads nothing because of it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from medlora_edge.history.records import Chat, Turn, TurnState
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question

TASKS = {"ask": "Question", "pubmedqa": "PubMedQA question", "multiple_choice": "Multiple-choice question"}
ENDINGS = {
    TurnState.WAITING: "not begun",
    TurnState.ANSWERING: "not finished",
    TurnState.STOPPED: "stopped by the user, incomplete",
    TurnState.CUT: "cut at the token limit, incomplete",
    TurnState.FAILED: "the engine failed, incomplete",
    TurnState.INTERRUPTED: "interrupted, incomplete",
}


def markdown(chat: Chat, turns: Sequence[Turn], *, notice: str, shown: Collection[int] = ()) -> str:
    """The given turns of a chat, each with what it was asked with as it was kept, whatever is installed now.

    Of a question that was asked again, all answers; where ids of `shown` turns are given, which of them was shown.
    """
    facts = {
        "Begun with model": chat.model,
        "Begun with model SHA-256": chat.model_sha256,
        "Begun": chat.created.isoformat(timespec="seconds"),
        "Last used": chat.updated.isoformat(timespec="seconds"),
    }
    places = {turn.id: (place, turn.question) for place, turn in enumerate(turns, start=1)}
    blocks = [f"# {_inline(chat.title) or 'Chat'}", f"**{_inline(notice)}**", _list(facts.items())]
    for turn in turns:
        blocks.extend(_turn(turn, places))
        blocks.append(_list([*_facts(turn), *_variant(turn, turns, shown)]))
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn, places: Mapping[int, tuple[int, Question]]) -> Iterator[str]:
    question, ending = turn.question, ENDINGS.get(turn.state)
    place, before = places.get(turn.retry_of or 0, (0, question))
    how = "again" if before == question else "in other words"
    yield f"## {places[turn.id][0]}. {TASKS[turn.task]}" + (f" (asks {place} {how})" if place else "")
    for context in question.contexts:
        yield f"Context:\n\n{_quote(context)}"
    asked = _quote(question.question)
    yield f"Question:\n\n{asked}" if question.contexts else asked
    if question.options:
        yield _quote("\n".join(f"- ({letter}) {text}" for letter, text in question.options.items()))
    yield f"### Answer{f' ({ending})' if ending else ''}"
    yield _quote(turn.answer)


def _facts(turn: Turn) -> Iterator[tuple[str, object]]:
    if turn.task != "ask":
        yield "Verdict", turn.label or "no verdict"
    if turn.label_probs:
        yield "Probabilities", ", ".join(f"{label} {share:.1%}" for label, share in turn.label_probs.items())
    yield "Asked", turn.asked.isoformat(timespec="seconds")
    if turn.timings:
        spent = turn.timings
        yield "Tokens", f"{spent.prompt_tokens} read, {spent.generated_tokens} written in {spent.total_seconds:.1f} s"
    yield "Model", turn.model
    yield "Model SHA-256", turn.model_sha256
    yield "Prompts SHA-256", turn.prompts_sha256
    yield from turn.settings.items()


def _variant(turn: Turn, turns: Sequence[Turn], shown: Collection[int]) -> Iterator[tuple[str, object]]:
    """Which of its question's answers it is."""
    firsts: dict[int, int] = {}
    for other in turns:
        asked = other.id if other.retry_of is None else other.retry_of
        firsts[other.id] = firsts.get(asked, asked)
    variants = [other for other, first in firsts.items() if first == firsts[turn.id]]
    if shown and len(variants) > 1:
        look = "shown" if turn.id in shown else "not shown"
        yield "Variant", f"{variants.index(turn.id) + 1} of {len(variants)}, {look} when this was written"


def _list(facts: Iterable[tuple[str, object]]) -> str:
    return "\n".join(f"- {_inline(name)}: {_inline(str(value))}" for name, value in facts)


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in _inert(text).split("\n"))


def _inline(text: str) -> str:
    return " ".join(_inert(text).split())


def _inert(text: str) -> str:
    """Neither control characters nor tags, links, images."""
    return re.sub(r"[\\<\[]", r"\\\g<0>", clean(text))
