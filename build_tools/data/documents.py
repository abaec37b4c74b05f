"""What a source gives: a question with the answer to learn, or a text to be continued."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from medlora_edge.engine.protocol import Message

_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Exchange:
    """A question as the task asks it, and the answer to learn; by the bare question, `asked`, it is known.

    `label`: what a question with fixed answers is answered by. `group`: the document that it is one question of.
    """

    id: str
    file: Path
    where: str
    asked: str
    messages: tuple[Message, ...]
    answer: str
    options: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None

    @property
    def texts(self) -> Iterable[str]:
        """Every turn and the answer."""
        return (*(message.content for message in self.messages), self.answer)


@dataclass(frozen=True)
class Passage:
    """A text to be continued."""

    id: str
    file: Path
    where: str
    text: str
    options: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """The text itself."""
        return self.text

    @property
    def texts(self) -> Iterable[str]:
        """The text."""
        return (self.text,)


@dataclass(frozen=True)
class LeftOut:
    """A record that one of the recipe's rules leaves out, and why."""

    file: Path
    where: str
    reason: str


Document = Exchange | Passage


def with_thought(thought: str, answer: str) -> str:
    """An answer behind its chain of thought, in the markup of reasoning models (DeepSeek-R1, section 2.2)."""
    return f"<think>\n{thought}\n</think>\n\n{answer}"


def normalised(text: str) -> str:
    """Words and numbers only, lower case, one space between: what makes two wordings of a question the same."""
    return _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
