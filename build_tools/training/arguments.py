"""A stage of a recipe in the words of transformers' training arguments."""

import math
from typing import Any

from build_tools.recipe.schema import Schedule
from build_tools.training.job import Job


def arguments(job: Job) -> dict[str, Any]:
    """Keyword arguments of TRL's SFTConfig; everything that matters is said, nothing left to a default."""
    import torch

    stage, cuda = job.stage, torch.cuda.is_available()
    return {
        "output_dir": str(job.checkpoints),
        "per_device_train_batch_size": stage.batch.micro,
        "gradient_accumulation_steps": stage.batch.accumulation,
        "num_train_epochs": 1,  # the order holds them all
        "learning_rate": stage.optimiser.learning_rate,
        "weight_decay": stage.optimiser.weight_decay,
        "max_grad_norm": stage.optimiser.max_grad_norm,
        "optim": stage.optimiser.name,
        "lr_scheduler_type": _schedule(stage.schedule),
        "warmup_steps": warmup_steps(stage.schedule, job.total_steps),
        "activation_checkpointing": stage.checkpoint_activations,
        "bf16": stage.load_bits != 32 and (cuda or stage.adapter == "none"),
        "use_cpu": not cuda,
        "seed": job.seed,
        "train_sampling_strategy": "sequential",
        "eval_strategy": "steps" if job.held_out else "no",
        "eval_steps": stage.evaluation.every,
        "save_strategy": "steps",
        "save_steps": stage.save_every,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "log_level": "error",
        "remove_unused_columns": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "packing": False,  # rows come packed
        "max_length": None,
        "dataloader_pin_memory": cuda,
    }


def warmup_steps(schedule: Schedule, total: int) -> int:
    """Whole steps of warm-up: transformers reads a number below 1 as a share."""
    if schedule.warmup_ratio is not None:
        return math.ceil(schedule.warmup_ratio * total)
    return schedule.warmup_steps or 0


def _schedule(schedule: Schedule) -> str:
    return "constant_with_warmup" if schedule.name == "constant" else schedule.name
