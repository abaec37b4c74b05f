"""Stops a run whose loss breaks, before the optimiser takes the step, and names the rows that broke it."""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from build_tools.training.disk import disk_errors
from medlora_edge.errors import GateError
from medlora_edge.files import write_atomic

NAME = "watchdog.json"
RECENT = 20  # steps whose median is the measure
FEWEST = 5  # steps before a spike can be told from a start
LOWEST = 0.5  # nats; a loss below it is no break-down, however small the ones before were


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MicroBatch(_Part):
    """The ids of its rows' documents, and its own loss, None where that is no number."""

    ids: tuple[tuple[str, ...], ...]
    trained_tokens: int
    loss: float | None


class Finding(_Part):
    """Why a run was stopped. `median` and `limit` are in nats a trained token; batches come worst first."""

    step: int
    reason: str
    loss: float | None
    median: float | None
    limit: float | None
    batches: tuple[MicroBatch, ...]


class Watchdog:
    """Holds the losses of the recent steps."""

    def __init__(self, spike: float, folder: Path, recent: Sequence[float] = ()) -> None:
        self._spike = spike
        self._folder = folder
        self._recent = deque(recent, maxlen=RECENT)

    @property
    def recent(self) -> tuple[float, ...]:
        """Losses that a resumed run starts from."""
        return tuple(self._recent)

    def look(self, step: int, loss: float, gradient_norm: float, batches: Sequence[MicroBatch]) -> None:
        """Judge a step that is not taken yet. Raises GateError (exit 5) that names the file with the rows."""
        median = statistics.median(self._recent) if len(self._recent) >= FEWEST else None
        limit = None if median is None else max(self._spike * median, LOWEST)
        reason = self._reason(loss, gradient_norm, limit)
        if reason is None:
            self._recent.append(loss)
            return
        worst = sorted(batches, key=lambda batch: math.inf if batch.loss is None else batch.loss, reverse=True)
        finding = Finding(
            step=step, reason=reason, loss=_number(loss), median=median, limit=limit, batches=tuple(worst)
        )
        self._stop(finding, "lists the rows of that step, worst first")

    def look_held_out(self, step: int, loss: float) -> None:
        """Judge a held-out loss. Raises GateError (exit 5) where it is no number."""
        if math.isfinite(loss):
            return
        reason = f"the held-out loss is {loss}"
        finding = Finding(step=step, reason=reason, loss=None, median=None, limit=None, batches=())
        self._stop(finding, "says so; no single row of training is to blame")

    def _reason(self, loss: float, gradient_norm: float, limit: float | None) -> str | None:
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(gradient_norm):
            return f"the norm of the gradient is {gradient_norm}"
        if limit is not None and loss > limit:
            return f"the loss leapt to {loss:.4g}, over {limit:.4g} ({self._spike:g} times the recent median)"
        return None

    def _stop(self, finding: Finding, tells: str) -> None:
        path = self._folder / NAME
        with disk_errors(NAME, self._folder):
            write_atomic(path, finding.model_dump_json(indent=1).encode() + b"\n")
        raise GateError(
            f"training was stopped at step {finding.step}: {finding.reason}",
            where=f"{path} {tells}",
            fix="take broken rows out, or lower optimiser.learning_rate; "
            "with other data or settings the stage is trained anew, from its first step",
        )


def _number(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
