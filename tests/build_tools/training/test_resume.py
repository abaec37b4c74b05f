"""20 steps are 10, a stop, and 10 more: bit for bit on a CPU [R10]."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from build_tools.data.rows import Rows
from build_tools.manifest import sha256_of_file
from build_tools.recipe.schema import Stage
from build_tools.training import metrics
from build_tools.training.train import Trained, train
from medlora_edge.errors import StoppedError
from tests.build_tools.training.conftest import Notes, full_stage, rows, stage

STEPS = {"steps": 20, "save_every": 10, "evaluation": {"every": 7}, "schedule": {"warmup_steps": 3}}
BATCH = {"batch": {"micro": 2, "accumulation": 1}}
KINDS: dict[str, Stage] = {
    "adapter": stage(**STEPS),
    "nf4 with 8-bit AdamW": stage(
        **STEPS,
        **BATCH,
        load_bits=4,
        adapter={"rank": 16, "alpha": 16, "dropout": 0.1, "target_modules": "all-linear"},
        optimiser={"name": "adamw_bnb_8bit", "learning_rate": 1e-3},
    ),
    "all weights": full_stage(**STEPS, **BATCH),
}


@dataclass(frozen=True)
class Outcome:
    trained: Trained
    notes: Notes
    out: Path

    def weights(self) -> str:
        return sha256_of_file(next(self.out.glob("adapter/*.safetensors"), self.out / "weights" / "model.safetensors"))

    def optimiser(self) -> dict[str, Any]:
        return dict(torch.load(self.out / "checkpoints/step-00000020/optimizer.pt", weights_only=True))

    def lines(self) -> list[dict[str, Any]]:
        return [line.model_dump(exclude={"seconds", "peak_bytes"}) for line in metrics.read(self.out)]


def run(what: Stage, data: Rows, base: Path, out: Path, notes: Notes) -> Outcome:
    return Outcome(train(what, data, base=base, adapters=(), out=out, seed=3, watcher=notes), notes, out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_equals_an_unbroken_one(scratch_base: Path, tmp_path: Path, kind: str) -> None:
    what, data = KINDS[kind], rows(9, held_out=2)
    whole = run(what, data, scratch_base, tmp_path / "whole", Notes())
    with pytest.raises(StoppedError):
        run(what, data, scratch_base, tmp_path / "broken", Notes(stop_after=13))
    resumed = run(what, data, scratch_base, tmp_path / "broken", Notes())

    assert resumed.trained.resumed_from == 10
    assert [progress.step for progress in resumed.notes.steps] == list(range(11, 21))
    assert resumed.trained.order_sha256 == whole.trained.order_sha256
    assert resumed.lines() == whole.lines(), "losses, gradient norms and learning rates, each step once"
    assert resumed.weights() == whole.weights()
    torch.testing.assert_close(resumed.optimiser(), whole.optimiser(), rtol=0, atol=0)


def test_a_finished_stage_is_not_trained_again(scratch_base: Path, tmp_path: Path) -> None:
    first = run(stage(), rows(), scratch_base, tmp_path, Notes())
    again = run(stage(), rows(), scratch_base, tmp_path, Notes())
    assert again.notes.steps == []
    assert again.trained.loss == first.trained.loss
    assert again.lines() == first.lines()


@pytest.mark.parametrize("change", ["rows", "seed", "settings"])
def test_a_checkpoint_of_another_run_is_left_alone(scratch_base: Path, tmp_path: Path, change: str) -> None:
    run(stage(), rows(), scratch_base, tmp_path, Notes())
    notes = Notes()
    train(
        stage(limits={"spike": 4.0}) if change == "settings" else stage(),
        rows(seed=8) if change == "rows" else rows(),
        base=scratch_base,
        adapters=(),
        out=tmp_path,
        seed=4 if change == "seed" else 3,
        watcher=notes,
    )
    assert len(notes.steps) == 4
    assert notes.messages == ["chat: skipped the checkpoint step-00000004: it was made with other data or settings"]
    assert len(metrics.read(tmp_path)) == 4
