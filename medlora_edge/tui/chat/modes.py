"""The question modes: how they are called, and how what is typed becomes a question."""

import re
from dataclasses import dataclass

from medlora_edge.history.records import TaskName
from medlora_edge.tasks import Question, split_options


@dataclass(frozen=True)
class Mode:
    """`hint` stands in the empty prompt."""

    task: TaskName
    name: str
    hint: str
    abstract: bool = False


MODES = (
    Mode("ask", "Ask", "Ask a clinical question"),
    Mode("pubmedqa", "PubMedQA", "Question that the abstract answers with yes, no or maybe", abstract=True),
    Mode("multiple_choice", "Multiple choice", "Question and its options: (A) ... (B) ..."),
)


def mode(task: TaskName) -> Mode:
    """The mode of a task."""
    return next(mode for mode in MODES if mode.task == task)


def after(task: TaskName) -> TaskName:
    """The mode that Shift+Tab goes to."""
    names = [mode.task for mode in MODES]
    return names[(names.index(task) + 1) % len(names)]


def question(task: TaskName, text: str, abstract: str) -> Question:
    """What is asked. An abstract's paragraphs are its contexts; options are taken out of a multiple-choice text."""
    text = text.strip()
    match task:
        case "ask":
            return Question("chat", text)
        case "pubmedqa":
            paragraphs = (part.strip() for part in re.split(r"\n\s*\n", abstract))
            return Question("chat", text, contexts=tuple(part for part in paragraphs if part))
        case "multiple_choice":
            return split_options(Question("chat", text))


def typed(asked: Question) -> str:
    """What was typed for a question, its abstract aside."""
    return asked.question + "".join(f"\n({letter}) {text}" for letter, text in asked.options.items())


def seen(task: TaskName, text: str) -> str:
    """What was recognised in the text typed so far, in a word or two."""
    if task != "multiple_choice" or not text.strip():
        return ""
    letters = "".join(question(task, text, "").options)
    return f"options {letters[0]}-{letters[-1]}" if letters else "no options yet"
