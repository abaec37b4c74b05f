"""What the history hands out: chats, their turns, and where a search found its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from medlora_edge.engine.protocol import Timings
from medlora_edge.tasks import Question

TaskName = Literal["ask", "pubmedqa", "multiple_choice"]
Setting = str | int | float


class TurnState(StrEnum):
    """How far a turn came. `CUT`: at the token limit. `INTERRUPTED`: the app died before the answer ended."""

    WAITING = "waiting"
    ANSWERING = "answering"
    DONE = "done"
    STOPPED = "stopped"
    CUT = "cut"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Chat:
    """One conversation. `model` is the name it was begun with; `turns` counts them, `tasks` names their kinds."""

    id: int
    title: str
    created: datetime
    updated: datetime
    model: str
    model_sha256: str
    turns: int
    tasks: tuple[TaskName, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One question and what became of it. `retry_of`: the turn this one asks again.

    `model` and `settings` are what it was asked with, named as they are for an export.
    """

    id: int
    chat: int
    task: TaskName
    question: Question
    answer: str
    state: TurnState
    label: str | None
    label_probs: Mapping[str, float]
    retry_of: int | None
    timings: Timings | None
    asked: datetime
    model_sha256: str
    prompts_sha256: str
    model: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    """A place where all words of a search stand; `turn` is None in a title.

    `matches` are the (begin, end) of each found word in `snippet`.
    """

    chat: int
    title: str
    turn: int | None
    snippet: str
    matches: tuple[tuple[int, int], ...]
