"""What training tells while it runs: a small protocol, and a watcher that is silent."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """One finished step.

    `loss`: nats a trained token over the whole batch. Speeds are tokens a second, evaluations and saving left out:
    `tokens_per_second` counts all tokens, `trained_per_second` those with a loss. `mfu`: share of the card's dense
    bf16 peak that the model's own arithmetic reaches; None on a CPU or an unknown card.
    """

    stage: str
    step: int
    total: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    trained_per_second: float
    peak_bytes: int
    eta_seconds: float
    mfu: float | None = None


class Watcher(Protocol):
    """Sees training go by; called from the thread that trains."""

    def step(self, progress: Progress) -> None:
        """Take note of a finished step."""

    def evaluated(self, stage: str, step: int, loss: float) -> None:
        """Take note of a held-out loss, nats a trained token."""

    def note(self, message: str) -> None:
        """Take note of something the user should know, such as a checkpoint that was skipped and why."""


class Silent:
    """A watcher for where nobody looks."""

    def step(self, progress: Progress) -> None:
        """Say nothing."""

    def evaluated(self, stage: str, step: int, loss: float) -> None:
        """Say nothing."""

    def note(self, message: str) -> None:
        """Say nothing."""
