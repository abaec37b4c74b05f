"""One verdict: the label that is clearly the likeliest, known before the answer; and what the answer makes of it."""

from collections.abc import Mapping
from math import isfinite, log

from medlora_edge.engine.protocol import Scored
from medlora_edge.history.records import Turn, TurnState
from medlora_edge.tasks import NEAR_TIE_NATS, probabilities, task

WHOLE = (TurnState.DONE, TurnState.CUT)


def label_probs(scored: Scored) -> dict[str, float]:
    """Probability of each label; {} for the scores of a broken model."""
    if not all(map(isfinite, scored.logprobs.values())):
        return {}
    return probabilities(scored.logprobs)


def likeliest(probs: Mapping[str, float]) -> str | None:
    """The label of the highest probability; None for no verdict: no probabilities, or a near tie as of a bench."""
    if not probs:
        return None
    best, second = sorted(probs, key=lambda label: probs[label], reverse=True)[:2]
    clear = not probs[second] or log(probs[best] / probs[second]) >= NEAR_TIE_NATS
    return best if clear else None


def contradiction(turn: Turn) -> str:
    """What must be known of a whole answer that does not say what the verdict says; "" where it does."""
    if turn.task == "ask" or turn.state not in WHOLE:
        return ""
    written = task(turn.task).read_lenient(turn.answer, turn.question)
    if written == turn.label:
        return ""
    if turn.label is None:
        return f"The answer says {name(written)}. Asked again it may say another: it is no verdict."
    says = f"says {name(written)}" if written else "does not stay with it"
    return f"The verdict is {name(turn.label)}, but its answer {says}. Do not rely on either unchecked."


def name(label: str | None) -> str:
    """A label as it is spoken of: yes, (B)."""
    return f"({label})" if label and len(label) == 1 else str(label)
