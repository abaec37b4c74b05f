"""The rented loop does what a plain one does, and accumulation is the same as a bigger batch [R23]."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from build_tools.data.rows import Rows
from build_tools.training import metrics
from build_tools.training.batches import collate
from build_tools.training.job import plan
from build_tools.training.model import prepare
from build_tools.training.order import order
from tests.build_tools.training.conftest import full_stage, rig, rows, stage

NO_DROPOUT = {"rank": 4, "alpha": 8, "target_modules": ["q_proj", "v_proj"]}


def plain_losses(what: Any, data: Rows, base: Path, *, warmup: int) -> list[float]:
    """A loop of a few lines: mean over the trained tokens of a step, AdamW, warm-up and cosine, clipping."""
    model = prepare(plan(what, data, base=base, adapters=(), out=base, seed=0)).train()
    seen = order(len(data.train), what, 0)
    size = what.batch.micro * what.batch.accumulation
    steps = math.ceil(len(seen) / size)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.0, weight_decay=0.0)
    losses = []
    for step in range(steps):
        share = step / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
        optimiser.param_groups[0]["lr"] = what.optimiser.learning_rate * share
        batch = collate([data.train[index] for index in seen[step * size : (step + 1) * size]])
        labels = batch.pop("labels")[:, 1:]
        logits = model(**batch, use_cache=False).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), what.optimiser.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("adapter", [NO_DROPOUT, "none"], ids=["adapter", "all weights"])
def test_losses_are_those_of_a_plain_loop(scratch_base: Path, tmp_path: Path, adapter: Any) -> None:
    make_stage = full_stage if adapter == "none" else stage
    what = make_stage(adapter=adapter, steps=None, epochs=1.5, schedule={"warmup_steps": 2})
    data = rows(11)
    made = rig(what, data, scratch_base, tmp_path)
    made.loop.train()
    ours = [line.loss for line in metrics.read(tmp_path) if isinstance(line, metrics.StepLine)]
    assert len(ours) == 5, "17 rows in windows of 4: the last one is short"
    np.testing.assert_allclose(ours, plain_losses(what, data, scratch_base, warmup=2), rtol=0, atol=1e-5)


class Grab(TrainerCallback):  # type: ignore[misc]
    """Keeps each step's gradient."""

    def __init__(self) -> None:
        self.gradients: list[list[torch.Tensor]] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self.gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("layout", ["llama", "gpt2"])
def test_accumulated_small_batches_equal_one_big_batch(
    tiny_bases: Callable[[str], Path], tmp_path: Path, layout: str
) -> None:
    """GPT-2 is the layout whose forward takes no token count, where averages of averages would creep in."""
    modules = ["c_attn"] if layout == "gpt2" else ["q_proj", "v_proj"]
    grabs, losses = [], []
    for micro, accumulation in ((2, 4), (8, 1)):
        what = stage(
            batch={"micro": micro, "accumulation": accumulation},
            adapter=NO_DROPOUT | {"target_modules": modules},
            optimiser={"name": "adamw_torch", "learning_rate": 1e-3, "max_grad_norm": 1e9},
            steps=None,
            epochs=1.0,
        )
        made = rig(what, rows(11), tiny_bases(layout), tmp_path / str(micro))
        for module in made.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # GPT-2 brings its own
        grabs.append(Grab())
        made.loop.add_callback(grabs[-1])
        made.loop.train()
        lines = metrics.read(tmp_path / str(micro))
        losses.append([line.loss for line in lines if isinstance(line, metrics.StepLine)])
    assert len(losses[0]) == 2, "11 rows in windows of 8: the last one is short"
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-5)
    for small, big in zip(grabs[0].gradients, grabs[1].gradients, strict=True):
        for one, other in zip(small, big, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
