"""Turns as a store would hand them out."""

from datetime import UTC, datetime
from typing import Any

from medlora_edge.history.records import TaskName, Turn, TurnState
from medlora_edge.tasks import Question

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
ABSTRACT = "In 120 patients the drug lowered mortality from 12 % to 7 % (p = 0.02)."


def turn(number: int, text: str = "What is sepsis?", name: TaskName = "ask", **changes: Any) -> Turn:
    values: dict[str, Any] = {
        "id": number,
        "chat": 1,
        "task": name,
        "question": question(text, name),
        "answer": "",
        "state": TurnState.WAITING,
        "label": None,
        "label_probs": {},
        "retry_of": None,
        "timings": None,
        "asked": ASKED,
        "model_sha256": "0" * 64,
        "prompts_sha256": "0" * 64,
    }
    return Turn(**values | changes)


def answered(number: int, text: str = "What is sepsis?", answer: str = "An infection.", **changes: Any) -> Turn:
    return turn(number, text, **{"answer": answer, "state": TurnState.DONE} | changes)


def question(text: str, name: TaskName = "ask") -> Question:
    match name:
        case "ask":
            return Question("q", text)
        case "pubmedqa":
            return Question("q", text, contexts=(ABSTRACT,))
        case "multiple_choice":
            return Question("q", text, options={"A": "Aspirin", "B": "Heparin", "C": "Rest"})
