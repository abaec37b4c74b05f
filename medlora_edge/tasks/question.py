"""What is asked: one question with its contexts and options, whatever task it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """One item. `contexts` are paragraphs of an abstract; `options` maps a capital letter to its text."""

    id: str
    question: str
    contexts: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
