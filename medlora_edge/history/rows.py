"""Rows of the database to records and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from medlora_edge.engine.protocol import Timings
from medlora_edge.history.records import Chat, Setting, Turn, TurnState
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question

LONGEST_TITLE = 200

CHATS = """
SELECT id, title, created, updated, model, model_sha256, (SELECT count(*) FROM turn WHERE turn.chat = chat.id),
    (SELECT group_concat(DISTINCT task) FROM turn WHERE turn.chat = chat.id)
FROM chat
"""
TURNS = """
SELECT id, chat, task, question, answer, state, label, label_probs, retry_of, timings, asked,
    model_sha256, prompts_sha256, model, settings
FROM turn
"""

Row = tuple[Any, ...]


def now() -> str:
    """UTC wall time, ISO 8601."""
    return datetime.now(UTC).isoformat()


def text(value: str) -> str:
    """`value` as Unicode text: half characters, which no database takes, become `?`."""
    return value.encode("utf-8", "replace").decode()


def title(value: str) -> str:
    """`value` as one short line without control characters."""
    return " ".join(clean(value).split())[:LONGEST_TITLE].rstrip()


def chat(row: Row) -> Chat:
    """Record of one row of `CHATS`."""
    number, name, created, updated, model, model_sha256, turns, tasks = row
    return Chat(
        id=number,
        title=name,
        created=datetime.fromisoformat(created),
        updated=datetime.fromisoformat(updated),
        model=model,
        model_sha256=model_sha256,
        turns=turns,
        tasks=tuple(sorted(tasks.split(","))) if tasks else (),
    )


def turn(row: Row) -> Turn:
    """Record of one row of `TURNS`."""
    number, chat_id, task, asked_for, answer, state, label, probs, retry_of, timings, asked, *asked_with = row
    model_sha256, prompts_sha256, model, settings = asked_with
    return Turn(
        id=number,
        chat=chat_id,
        task=task,
        question=question(asked_for),
        answer=answer,
        state=TurnState(state),
        label=label,
        label_probs=json.loads(probs),
        retry_of=retry_of,
        timings=Timings.model_validate_json(timings) if timings else None,
        asked=datetime.fromisoformat(asked),
        model_sha256=model_sha256,
        prompts_sha256=prompts_sha256,
        model=model,
        settings=json.loads(settings),
    )


def question(content: str) -> Question:
    """Question of its JSON."""
    parts = json.loads(content)
    return Question(
        id=parts["id"], question=parts["question"], contexts=tuple(parts["contexts"]), options=parts["options"]
    )


def question_json(asked: Question) -> str:
    """JSON of a question."""
    parts = {"id": asked.id, "question": asked.question, "contexts": asked.contexts, "options": dict(asked.options)}
    return text(json.dumps(parts, ensure_ascii=False))


def mapping_json(mapping: Mapping[str, Setting]) -> str:
    """JSON of label probabilities, or of settings."""
    return text(json.dumps(dict(mapping), ensure_ascii=False))
