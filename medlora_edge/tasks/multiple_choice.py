"""Multiple choice with lettered options: MedQA, MedMCQA and the medical subjects of MMLU."""

# ruff: noqa: ARG002 - every task has the same methods, whether or not it needs all arguments

from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import UsageError
from medlora_edge.tasks import lenient, strict
from medlora_edge.tasks.prompts import prompt
from medlora_edge.tasks.question import Question

LETTERS = "ABCDEFGHIJ"


class MultipleChoice:
    """One letter out of the options, asked as the MediLoRA paper asks MedQA."""

    name = "multiple_choice"

    def labels(self, question: Question) -> tuple[str, ...]:
        """The question's letters, in order."""
        return tuple(question.options)

    def messages(self, question: Question) -> tuple[Message, ...]:
        """System and user turn. Raises UsageError without a question or without options A, B, ... in order."""
        letters = "".join(question.options)
        if not question.question.strip() or len(letters) < 2 or not LETTERS.startswith(letters):
            raise UsageError(
                "a multiple-choice item needs a question and two to ten options A, B, ... in order",
                where=f"question {question.id}",
            )
        parts = prompt(self.name)
        options = parts["joiner"].join(
            parts["option"].format(letter=letter, text=text) for letter, text in question.options.items()
        )
        system = parts["system"].format(last_option=letters[-1])
        user = parts["user"].format(question=question.question, options=options)
        return (Message(role=Role.SYSTEM, content=system), Message(role=Role.USER, content=user))

    def target(self, question: Question, label: str, explanation: str = "") -> str:
        """`(A) option text`; an explanation is not taught. Raises UsageError for a letter not on offer."""
        if label not in question.options:
            raise UsageError(f"no option {label!r}", where=f"question {question.id}")
        return prompt(self.name)["target"].format(letter=label, text=question.options[label])

    def candidates(self, question: Question) -> dict[str, str]:
        """`(A)`, `(B)`, ..."""
        return {letter: f"({letter})" for letter in question.options}

    def grammar(self, question: Question) -> str | None:
        """One of the candidates."""
        return "root ::= " + " | ".join(f'"{text}"' for text in self.candidates(question).values())

    def stop_when(self, question: Question) -> str | None:
        """A letter in brackets at the beginning."""
        return rf"\A\s*\((?:{'|'.join(question.options)})\)"

    def read_strict(self, response: str, question: Question) -> str | None:
        """First three characters are `(A)`, `(B)`, ..., a letter that exists."""
        return strict.read_letter(response, question.options)

    def read_lenient(self, response: str, question: Question) -> str | None:
        """What a careful reader takes as the answer."""
        return lenient.read_letter(response, question.options)
