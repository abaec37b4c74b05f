"""What an answer's label is, and how likely each label was."""

from math import isfinite

from medlora_edge.engine.protocol import Scored
from medlora_edge.history.records import Turn
from medlora_edge.tasks import probabilities, task


def label(turn: Turn, answer: str) -> str | None:
    """The answer's label, None for no verdict.

    Strictly read where it begins as a model is trained to begin (`yes.`, `(A)`), else as a careful reader reads it:
    by the strict rule alone "Not sure" would be a no.
    """
    kind = task(turn.task)
    begins = answer.strip().casefold().startswith
    trained = any(begins(text.casefold()) for text in kind.candidates(turn.question).values())
    strict = kind.read_strict(answer, turn.question) if trained else None
    return strict or kind.read_lenient(answer, turn.question)


def label_probs(scored: Scored) -> dict[str, float]:
    """Probability of each label; {} for the scores of a broken model."""
    if not all(map(isfinite, scored.logprobs.values())):
        return {}
    return probabilities(scored.logprobs)
