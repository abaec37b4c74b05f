"""Question types, shared by whatever asks, scores or trains, so that the prompt is the same byte for byte."""

from medlora_edge.errors import UsageError
from medlora_edge.tasks.ask import Ask
from medlora_edge.tasks.lenient import READER_VERSION
from medlora_edge.tasks.multiple_choice import MultipleChoice
from medlora_edge.tasks.pasted import split_options
from medlora_edge.tasks.probabilities import NEAR_TIE_NATS, probabilities
from medlora_edge.tasks.prompts import prompts_sha256
from medlora_edge.tasks.pubmedqa import PubMedQA
from medlora_edge.tasks.question import Question
from medlora_edge.tasks.task import Task

__all__ = [
    "NEAR_TIE_NATS",
    "READER_VERSION",
    "Question",
    "Task",
    "probabilities",
    "prompts_sha256",
    "split_options",
    "task",
]


def task(name: str) -> Task:
    """The task of that name. Raises UsageError for an unknown one."""
    match name:
        case "ask":
            return Ask()
        case "pubmedqa":
            return PubMedQA()
        case "multiple_choice":
            return MultipleChoice()
    raise UsageError(f"unknown task {name!r}", fix="choose ask, pubmedqa or multiple_choice")
