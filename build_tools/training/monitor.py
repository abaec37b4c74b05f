"""The eyes on a run: every micro-batch, step and evaluation passes here, into metrics, watchdog and watcher."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from build_tools.manifest import sealed, unsealed
from build_tools.training import metrics
from build_tools.training.job import Job
from build_tools.training.memory import PeakMemory
from build_tools.training.meter import Meter
from build_tools.training.watchdog import MicroBatch, Watchdog
from build_tools.training.watcher import Progress, Watcher

STATE = "monitor.json"


class State(BaseModel):
    """What a resumed run has to know. `order`: SHA-256 over the rows seen so far, in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recent: tuple[float, ...] = ()
    best_loss: float | None = None
    best_step: int | None = None
    looks_without_gain: int = 0
    last_loss: float | None = None
    held_out_loss: float | None = None
    tokens: int = 0
    trained_tokens: int = 0
    seconds: float = 0.0
    order: str = ""


class Monitor:
    """One run's eyes."""

    def __init__(self, job: Job, *, meter: Meter, peak: PeakMemory, watcher: Watcher) -> None:
        self.state = State()
        self._stage = job.stage
        self._rows = job.train
        self._total = job.total_steps
        self._folder = job.out
        self._meter = meter
        self._peak = peak
        self._watcher = watcher
        self._watchdog = Watchdog(job.stage.limits.spike, job.out)
        self._batches: list[tuple[tuple[int, ...], float]] = []
        self._norm = 0.0

    def begin(self) -> None:
        """A micro-batch is about to be computed."""
        if not self._batches:
            self._meter.start()

    def batch(self, step: int, rows: Sequence[int], loss: float) -> None:
        """A micro-batch went forward and backward; `loss` is its share of the step's mean. Raises GateError."""
        self._batches.append((tuple(rows), loss))
        if not math.isfinite(loss):
            self._watchdog.look(step, loss, 0.0, self._described())

    def before_update(self, step: int, gradient_norm: float) -> None:
        """All micro-batches of a step are in and the optimiser has not moved yet. Raises GateError."""
        self._norm = gradient_norm
        self._watchdog.look(step, self._loss(), gradient_norm, self._described())

    def after_update(self, step: int, learning_rate: float) -> None:
        """The optimiser has moved."""
        seen = [row for rows, _ in self._batches for row in rows]
        tokens = sum(len(self._rows[row].input_ids) for row in seen)
        trained = sum(self._rows[row].trained for row in seen)
        seconds = self._meter.finish(tokens, trained)
        loss = self._loss()
        self._remember(seen, loss, tokens, trained, seconds)
        self._batches.clear()
        line = metrics.StepLine(
            step=step,
            loss=loss,
            learning_rate=learning_rate,
            gradient_norm=self._norm,
            tokens=tokens,
            trained_tokens=trained,
            seconds=seconds,
            peak_bytes=self._peak.bytes,
        )
        metrics.append(self._folder, line)
        self._watcher.step(self._progress(line))

    def evaluated(self, step: int, loss: float) -> bool:
        """Take a held-out loss; whether it is the best so far. Raises GateError for what is no number."""
        self._watchdog.look_held_out(step, loss)
        best = self.state.best_loss is None or loss < self.state.best_loss
        gain = {"best_loss": loss, "best_step": step, "looks_without_gain": 0}
        lack = {"looks_without_gain": self.state.looks_without_gain + 1}
        self.state = self.state.model_copy(update={"held_out_loss": loss, **(gain if best else lack)})
        metrics.append(self._folder, metrics.EvaluationLine(step=step, held_out_loss=loss))
        self._watcher.evaluated(self._stage.name, step, loss)
        return best

    @property
    def out_of_patience(self) -> bool:
        """Whether the held-out loss has not gained for too long."""
        patience = self._stage.evaluation.patience
        return patience is not None and self.state.looks_without_gain >= patience

    def save(self, folder: Path) -> None:
        """Put the state into a checkpoint."""
        (folder / STATE).write_bytes(sealed(self.state.model_copy(update={"recent": self._watchdog.recent})))

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint."""
        self.state = unsealed(folder / STATE, State)
        self._watchdog = Watchdog(self._stage.limits.spike, self._folder, self.state.recent)

    def _loss(self) -> float:
        return math.fsum(loss for _, loss in self._batches)

    def _described(self) -> list[MicroBatch]:
        """The step's micro-batches by their rows' ids, each with a mean loss of its own."""
        trained = [sum(self._rows[row].trained for row in rows) for rows, _ in self._batches]
        return [
            MicroBatch(
                ids=tuple(self._rows[row].ids for row in rows),
                trained_tokens=own,
                loss=loss * sum(trained) / own if own and math.isfinite(loss) else None,
            )
            for (rows, loss), own in zip(self._batches, trained, strict=True)
        ]

    def _remember(self, seen: Sequence[int], loss: float, tokens: int, trained: int, seconds: float) -> None:
        before = self.state
        order = hashlib.sha256(f"{before.order}{list(seen)}".encode()).hexdigest()
        self.state = before.model_copy(
            update={
                "last_loss": loss,
                "tokens": before.tokens + tokens,
                "trained_tokens": before.trained_tokens + trained,
                "seconds": before.seconds + seconds,
                "order": order,
            }
        )

    def _progress(self, line: metrics.StepLine) -> Progress:
        return Progress(
            stage=self._stage.name,
            step=line.step,
            total=self._total,
            loss=line.loss,
            learning_rate=line.learning_rate,
            tokens_per_second=self._meter.tokens_per_second,
            trained_per_second=self._meter.trained_per_second,
            peak_bytes=line.peak_bytes,
            eta_seconds=self._meter.eta_seconds(self._total - line.step),
            mfu=self._meter.mfu,
        )
