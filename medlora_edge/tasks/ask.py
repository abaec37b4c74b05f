"""An open question: free text in, free text out, nothing to score."""

# ruff: noqa: ARG002 - every task has the same methods, whether or not it needs all arguments

from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import UsageError
from medlora_edge.tasks.prompts import prompt
from medlora_edge.tasks.question import Question


class Ask:
    """A clinician's own question, with or without a context."""

    name = "ask"

    def labels(self, question: Question) -> tuple[str, ...]:
        """No fixed answers."""
        return ()

    def messages(self, question: Question) -> tuple[Message, ...]:
        """System and user turn. Raises UsageError for an empty question."""
        if not question.question.strip():
            raise UsageError("the question is empty", fix="write a question")
        parts = prompt(self.name)
        template = parts["user_with_context"] if question.contexts else parts["user"]
        user = template.format(contexts=parts["joiner"].join(question.contexts), question=question.question)
        return (Message(role=Role.SYSTEM, content=parts["system"]), Message(role=Role.USER, content=user))

    def target(self, question: Question, label: str, explanation: str = "") -> str:
        """The answer text itself. Raises UsageError for a label."""
        if label:
            raise UsageError(f"an open question has no label {label!r}", where=f"question {question.id}")
        return explanation

    def candidates(self, question: Question) -> dict[str, str]:
        """Nothing to weigh."""
        return {}

    def grammar(self, question: Question) -> str | None:
        """No bounds."""
        return None

    def stop_when(self, question: Question) -> str | None:
        """Runs to the end of turn."""
        return None

    def read_strict(self, response: str, question: Question) -> str | None:
        """No label."""
        return None

    def read_lenient(self, response: str, question: Question) -> str | None:
        """No label."""
        return None
