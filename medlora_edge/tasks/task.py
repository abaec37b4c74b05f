"""What every question type offers to the chat, the benchmark and the training program."""

from typing import Protocol

from medlora_edge.engine.protocol import Message
from medlora_edge.tasks.question import Question


class Task(Protocol):
    """A question type: how to ask, what bounds the answer, when it is decided, how to read it."""

    @property
    def name(self) -> str:
        """Name on the command line and in files."""

    def labels(self, question: Question) -> tuple[str, ...]:
        """Answers that exist, in order; empty for an open question."""

    def messages(self, question: Question) -> tuple[Message, ...]:
        """Prompt as chat turns. Raises UsageError when the question lacks a part the task needs."""

    def target(self, question: Question, label: str, explanation: str = "") -> str:
        """Answer a model is trained to give. Raises UsageError for a label that does not exist."""

    def candidates(self, question: Question) -> dict[str, str]:
        """How the target begins, by label: what score mode weighs."""

    def grammar(self, question: Question) -> str | None:
        """GBNF that allows nothing but a candidate (root rule `root`), or None."""

    def stop_when(self, question: Question) -> str | None:
        """Regular expression, searched in the text so far: the strict label is valid and its word complete."""

    def read_strict(self, response: str, question: Question) -> str | None:
        """Label by the rule of the MediLoRA paper, section 4.3, or None. Never raises."""

    def read_lenient(self, response: str, question: Question) -> str | None:
        """Label a careful reader takes as the final answer, or None for no verdict. Never raises."""
