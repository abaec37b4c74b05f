"""One stage of training: rows in, an adapter (or all weights) out, resumed where it stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_tools.bases.quiet import quiet
from build_tools.data.rows import Rows
from build_tools.recipe.schema import Stage
from build_tools.training import checkpoint, curve, metrics, watchdog, weights
from build_tools.training.arguments import warmup_steps
from build_tools.training.job import Job, plan
from build_tools.training.memory import PeakMemory, keep_few_kernels, memory_errors, release
from build_tools.training.meter import Meter, flops_per_token, peak_of
from build_tools.training.model import prepare, trained_parameters
from build_tools.training.monitor import Monitor
from build_tools.training.offline import offline
from build_tools.training.trainer import make
from build_tools.training.watcher import Watcher
from medlora_edge.errors import CorruptError

ADAPTER, WEIGHTS = "adapter", "weights"


@dataclass(frozen=True)
class Trained:
    """A finished stage in figures, for its record.

    Losses in nats a trained token; `held_out_loss` is that of the weights that are kept, None without held-out rows.
    Speeds are over all of the stage's steps. `order_sha256`: hash over the rows in the order they were seen.
    """

    steps: int
    stopped_early: bool
    kept_step: int
    loss: float | None
    held_out_loss: float | None
    tokens: int
    trained_tokens: int
    seconds: float
    tokens_per_second: float
    trained_per_second: float
    peak_bytes: int
    trainable_parameters: int
    device: str
    resumed_from: int | None
    order_sha256: str


def train(
    stage: Stage,
    rows: Rows,
    *,
    base: Path,
    adapters: Sequence[Path],
    out: Path,
    seed: int,
    watcher: Watcher,
    strict: bool = False,
) -> Trained:
    """Train one stage into `out`: `adapter/` or `weights/`, `checkpoints/`, `metrics.jsonl`, `loss.svg`.

    Goes on from the newest whole checkpoint of the same rows, settings and base. `adapters`: earlier ones that stay
    frozen on the base, oldest first. Raises CorruptError (3) with `strict` where a checkpoint has to be skipped,
    ResourceError (4) for memory or disk, GateError (5) when the watchdog stops it.
    """
    out.mkdir(parents=True, exist_ok=True)
    job = plan(stage, rows, base=base, adapters=adapters, out=out, seed=seed)
    _say_of_warmup(job, watcher)
    start = _start(job, watcher, strict=strict)
    metrics.cut(out, 0 if start is None else checkpoint.step_of(start))
    (out / watchdog.NAME).unlink(missing_ok=True)
    keep_few_kernels()
    with offline(), quiet(), memory_errors(f"stage {stage.name}"):
        trained = _run(job, start, watcher)
        release()
    curve.write(out, stage.name)
    return trained


def _run(job: Job, start: Path | None, watcher: Watcher) -> Trained:
    import torch
    from transformers import AutoTokenizer

    with PeakMemory(cuda=torch.cuda.is_available()) as peak:
        model = prepare(job)
        monitor = Monitor(job, meter=_meter(model), peak=peak, watcher=watcher)
        loop = make(model, AutoTokenizer.from_pretrained(job.base, local_files_only=True), job, monitor)
        steps = _train(loop, monitor, start)
        kept = _keep_best(loop, job, monitor, last=steps)
        weights.save_result(
            model, job.out / (WEIGHTS if job.stage.adapter == "none" else ADAPTER), base=job.base, origin_of=job.origin
        )
        return _figures(
            monitor,
            steps=steps,
            kept=kept,
            peak_bytes=peak.bytes,
            trainable=_count(trained_parameters(model)),
            start=start,
        )


def _train(loop: Any, monitor: Monitor, start: Path | None) -> int:
    """Train to the end, or to where patience ends; returns the last step."""
    if start is not None:
        monitor.load(start)
        if monitor.out_of_patience:  # the loop would forget that it had stopped, and take another step
            weights.load(loop.model, start)
            return checkpoint.step_of(start)
    loop.train(resume_from_checkpoint=None if start is None else str(start))
    return int(loop.state.global_step)


def _say_of_warmup(job: Job, watcher: Watcher) -> None:
    """Packing makes few steps of much data, and a warm-up that was right without it may last to the end."""
    warmup, total = warmup_steps(job.stage.schedule, job.total_steps), job.total_steps
    if warmup >= total:
        never = "the learning rate never reaches what the recipe says"
        watcher.note(f"{job.stage.name}: warm-up takes {warmup} steps and there are {total}: {never}")


def _start(job: Job, watcher: Watcher, *, strict: bool) -> Path | None:
    found = checkpoint.newest(job.checkpoints, job.fingerprint)
    if strict and found.skipped:
        raise CorruptError(
            f"a checkpoint would have to be skipped: {found.skipped[0]}",
            where=str(job.checkpoints),
            fix="remove it, or leave --strict out: training then goes on from the newest whole one",
        )
    for skipped in found.skipped:
        watcher.note(f"{job.stage.name}: skipped the checkpoint {skipped}")
    if found.path is not None:
        watcher.note(f"{job.stage.name}: goes on from {found.path.name}")
    return found.path


def _meter(model: Any) -> Meter:
    import torch

    trained, everything = _count(trained_parameters(model)), model.num_parameters()
    embedding = model.get_input_embeddings().weight
    if embedding is not model.get_output_embeddings().weight:  # only looked up, never multiplied
        trained -= embedding.numel() if embedding.requires_grad else 0
        everything -= embedding.numel()
    peak = peak_of(torch.cuda.get_device_name()) if torch.cuda.is_available() else None
    return Meter(flops_per_token=flops_per_token(trained, everything - trained), peak=peak)


def _count(parameters: Sequence[Any]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _keep_best(loop: Any, job: Job, monitor: Monitor, *, last: int) -> int:
    """With patience, the best look's weights are kept, else the last step's; returns the step."""
    best = monitor.state.best_step
    if job.stage.evaluation.patience is None or best is None or best == last:
        return last
    path = job.checkpoints / checkpoint.name(best)
    checkpoint.require_whole(path, job.fingerprint)
    weights.load(loop.model, path)
    return best


def _figures(
    monitor: Monitor, *, steps: int, kept: int, peak_bytes: int, trainable: int, start: Path | None
) -> Trained:
    import torch

    state = monitor.state
    return Trained(
        steps=steps,
        stopped_early=monitor.out_of_patience,
        kept_step=kept,
        loss=state.last_loss,
        held_out_loss=state.best_loss if kept == state.best_step else state.held_out_loss,
        tokens=state.tokens,
        trained_tokens=state.trained_tokens,
        seconds=state.seconds,
        tokens_per_second=state.tokens / state.seconds if state.seconds else 0.0,
        trained_per_second=state.trained_tokens / state.seconds if state.seconds else 0.0,
        peak_bytes=peak_bytes,
        trainable_parameters=trainable,
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        resumed_from=None if start is None else checkpoint.step_of(start),
        order_sha256=state.order,
    )
