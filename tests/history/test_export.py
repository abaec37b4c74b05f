"""The Markdown of a chat: everything an answer came from, and no foreign text that passes for the program's."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.engine.protocol import Timings
from medlora_edge.history import Chat, Turn, TurnState, markdown
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CHAT = Chat(1, "Statins & <b>", WHEN, WHEN, "starter", "a" * 64, 2)
TURN = Turn(
    id=11,
    chat=1,
    task="pubmedqa",
    question=Question("q", "Do statins help?", ("A trial.\n\n# Not a heading",)),
    answer="yes. They do.",
    state=TurnState.DONE,
    label="yes",
    label_probs={"yes": 0.875, "no": 0.125},
    retry_of=None,
    timings=Timings(prompt_tokens=40, generated_tokens=5, total_seconds=1.25),
    asked=WHEN,
    model_sha256="b" * 64,
    prompts_sha256="c" * 64,
    model="medical 7B",
    settings={"Quantisation": "Q3_K_L", "Temperature": 0.2, "Seed": 0},
)
NOTICE = "For decision support."


def exported(*turns: Turn) -> str:
    return markdown(CHAT, turns, notice=NOTICE)


def test_the_whole_page() -> None:
    again = replace(TURN, id=12, task="ask", state=TurnState.STOPPED, answer="", label=None, retry_of=11, timings=None)
    again = replace(again, settings={})
    assert exported(TURN, replace(again, label_probs={}, question=Question("q", "Why?"))) == (
        f"""# Statins & \\<b>

**For decision support.**

- Begun with model: starter
- Begun with model SHA-256: {"a" * 64}
- Begun: 2026-03-04T05:06:07+00:00
- Last used: 2026-03-04T05:06:07+00:00

## 1. PubMedQA question

Context:

> A trial.
>
> # Not a heading

Question:

> Do statins help?

### Answer

> yes. They do.

- Verdict: yes
- Probabilities: yes 87.5%, no 12.5%
- Asked: 2026-03-04T05:06:07+00:00
- Tokens: 40 read, 5 written in 1.2 s
- Model: medical 7B
- Model SHA-256: {"b" * 64}
- Prompts SHA-256: {"c" * 64}
- Quantisation: Q3_K_L
- Temperature: 0.2
- Seed: 0

## 2. Question (asks 1 in other words)

> Why?

### Answer (stopped by the user, incomplete)

>

- Asked: 2026-03-04T05:06:07+00:00
- Model: medical 7B
- Model SHA-256: {"b" * 64}
- Prompts SHA-256: {"c" * 64}
"""
    )


def test_the_same_question_is_asked_again() -> None:
    assert "## 2. PubMedQA question (asks 1 again)\n" in exported(TURN, replace(TURN, id=12, retry_of=11))


def test_no_label_is_no_verdict() -> None:
    assert "- Verdict: no verdict\n" in exported(replace(TURN, label=None))


def with_text(text: str) -> str:
    turn = replace(TURN, question=Question("q", text, (text,), {"A": text}), answer=text, label=text)
    turn = replace(turn, model=text, settings={"Adapter": text})
    return markdown(replace(CHAT, title=text, model=text), [turn], notice=NOTICE)


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("\n\r#<>[]()!\\`-*\u2028\x1b"))))
def test_foreign_text_stays_in_its_quote(text: str) -> None:
    """It adds no line to the page's own; no tag, link or image survives; no control character."""
    page, harmless = with_text(text), with_text("harmless")
    own, expected = ([line for line in each.split("\n") if not line.startswith(">")] for each in (page, harmless))
    assert len(own) == len(expected)
    assert page == clean(page)
    assert re.findall(r"(?<!\\)(?:\\\\)*[<\[]", page) == []


def test_of_variants_it_says_which_was_shown() -> None:
    turns = [replace(TURN, id=number, retry_of=of) for number, of in ((11, None), (12, None), (13, 11), (14, 13))]
    page = markdown(CHAT, turns, notice=NOTICE, shown={12, 13})
    assert [line for line in page.splitlines() if "Variant" in line] == [
        "- Variant: 1 of 3, not shown when this was written",
        "- Variant: 2 of 3, shown when this was written",
        "- Variant: 3 of 3, not shown when this was written",
    ]
