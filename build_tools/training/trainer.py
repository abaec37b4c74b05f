"""The rented loop: TRL's SFTTrainer with its data preparation skipped, our rows, our eyes and our checkpoints.

The only file that knows TRL; `test_parity.py` and `test_head.py` hold it to plain loops.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from build_tools.bases.architectures import plain_head
from build_tools.data.rows import Row
from build_tools.training import checkpoint, head, weights
from build_tools.training.arguments import arguments
from build_tools.training.batches import BLIND_TO_POSITIONS, collate
from build_tools.training.job import Job
from build_tools.training.monitor import Monitor

if TYPE_CHECKING:
    from trl import SFTTrainer
else:
    SFTTrainer = object  # importing this file imports no trainer


class _Loop(SFTTrainer):  # type: ignore[misc]
    """Where ours differs from TRL's. The attributes are set by `make`."""

    job: Job
    monitor: Monitor
    own_head: bool

    def _send_telemetry(self) -> None:
        """Never."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Nothing: the monitor writes what there is to tell."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        if return_outputs or not self.own_head:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        with self.accelerator.autocast():
            return head.loss(model, inputs, num_items_in_batch)

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        rows = inputs.pop("rows")
        self.monitor.begin()
        loss = super().training_step(model, inputs, num_items_in_batch)
        self.monitor.batch(self.state.global_step + 1, rows, loss.item())
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)
        self.monitor.before_update(self.state.global_step + 1, float(norm))
        return norm

    def _maybe_log_save_evaluate(self, *args: Any, learning_rate: float | None = None, **kwargs: Any) -> None:
        if self.control.should_log:  # set at the end of each step, and not again at the end of the epoch
            self.control.should_log = False
            self.monitor.after_update(self.state.global_step, learning_rate or 0.0)
        super()._maybe_log_save_evaluate(*args, learning_rate=learning_rate, **kwargs)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Held-out loss, mean over tokens rather than over batches. A new best is saved where patience asks for it."""
        loss = self.held_out_loss()
        best = self.monitor.evaluated(self.state.global_step, loss)
        self.control.should_evaluate = False
        if self.job.stage.evaluation.patience is not None:
            self.control.should_save |= best or self.monitor.out_of_patience
            self.control.should_training_stop |= self.monitor.out_of_patience
        return {"eval_loss": loss}

    def held_out_loss(self) -> float:
        self.model.eval()
        total, micro = 0.0, self.job.stage.batch.micro
        for start in range(0, len(self.job.held_out), micro):
            rows = self.job.held_out[start : start + micro]
            loss, _, _ = self.prediction_step(self.model, collate(rows), prediction_loss_only=True)
            total += loss.item() * sum(row.trained for row in rows)
        return total / max(sum(row.trained for row in self.job.held_out), 1)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:  # noqa: ARG002 - the loop's own signature
        step = self.state.global_step
        with checkpoint.writing(self.job.checkpoints, step, self.job.fingerprint) as folder:
            weights.save(self.model, folder)
            self._save_optimizer_and_scheduler(str(folder))
            self._save_scaler(str(folder))
            self._save_rng_state(str(folder))
            self.state.save_to_json(str(folder / "trainer_state.json"))
            self.monitor.save(folder)
        patient = self.job.stage.evaluation.patience is not None
        checkpoint.prune(self.job.checkpoints, self.monitor.state.best_step if patient else None)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        weights.load(model or self.model, folder)
        self.monitor.load(folder)


def make(model: Any, tokenizer: Any, job: Job, monitor: Monitor) -> Any:
    """A trainer ready for `.train(resume_from_checkpoint=...)`; adapter weights stay in the type they have (fp32)."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig
    from trl import SFTTrainer as Rented

    loop = type("Loop", (_Loop, Rented), {})
    trained = {name: parameter.data for name, parameter in model.named_parameters() if parameter.requires_grad}
    trainer = loop(
        model=model,
        args=SFTConfig(**arguments(job)),
        data_collator=partial(_collate, job.train, model.config.model_type in BLIND_TO_POSITIONS),
        train_dataset=Dataset.from_dict({"row": list(job.order)}),
        eval_dataset=Dataset.from_dict({"row": list(range(len(job.held_out)))}) if job.held_out else None,
        processing_class=tokenizer,
    )
    for name, parameter in model.named_parameters():  # TRL casts them to bf16 on a 4-bit base
        if name in trained:
            parameter.data = trained[name]
    trainer.model_accepts_loss_kwargs = True  # TRL's loss takes the step's token count for any model
    trainer.remove_callback(PrinterCallback)
    trainer.job, trainer.monitor = job, monitor
    trainer.own_head = trainer.args.use_cpu and plain_head(model.config.to_dict())
    return trainer


def _collate(rows: Sequence[Row], apart: bool, chosen: Sequence[dict[str, int]]) -> dict[str, Any]:
    indices = [choice["row"] for choice in chosen]
    return {**collate([rows[index] for index in indices], apart=apart), "rows": indices}
