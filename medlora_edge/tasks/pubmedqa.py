"""PubMedQA: yes, no or maybe from the abstract of a study (Jin et al., EMNLP-IJCNLP 2019)."""

# ruff: noqa: ARG002 - every task has the same methods, whether or not it needs all arguments

from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import UsageError
from medlora_edge.tasks import lenient, strict
from medlora_edge.tasks.prompts import prompt
from medlora_edge.tasks.question import Question

LABELS = ("yes", "no", "maybe")


class PubMedQA:
    """A yes / no / maybe question about the given contexts, asked as the MediLoRA paper asks it."""

    name = "pubmedqa"

    def labels(self, question: Question) -> tuple[str, ...]:
        """Always yes, no, maybe."""
        return LABELS

    def messages(self, question: Question) -> tuple[Message, ...]:
        """System and user turn. Raises UsageError without a question or without a context."""
        if not question.question.strip() or not any(context.strip() for context in question.contexts):
            raise UsageError(
                "a PubMedQA item needs a question and at least one context",
                where=f"question {question.id}",
                fix="give the abstract as context",
            )
        parts = prompt(self.name)
        user = parts["user"].format(contexts=parts["joiner"].join(question.contexts), question=question.question)
        return (Message(role=Role.SYSTEM, content=parts["system"]), Message(role=Role.USER, content=user))

    def target(self, question: Question, label: str, explanation: str = "") -> str:
        """`yes. long answer`. Raises UsageError for another label."""
        if label not in LABELS:
            raise UsageError(f"unknown PubMedQA label {label!r}", where=f"question {question.id}")
        return prompt(self.name)["target"].format(label=label, explanation=explanation).strip()

    def candidates(self, question: Question) -> dict[str, str]:
        """`yes.`, `no.`, `maybe.`."""
        return {label: f"{label}." for label in LABELS}

    def grammar(self, question: Question) -> str | None:
        """One of the candidates."""
        return "root ::= " + " | ".join(f'"{text}"' for text in self.candidates(question).values())

    def stop_when(self, question: Question) -> str | None:
        """Label at the beginning and a character behind it that ends the word, so that "not" runs on."""
        return rf"\A\s*(?ai:{'|'.join(LABELS)})(?=\W)"

    def read_strict(self, response: str, question: Question) -> str | None:
        """Starts with yes, no or maybe, any case."""
        return strict.read_word(response, LABELS)

    def read_lenient(self, response: str, question: Question) -> str | None:
        """What a careful reader takes as the answer."""
        return lenient.read_word(response, LABELS)
