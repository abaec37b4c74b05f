"""A stage from rows to weights: what lies there at the end, evaluation, early stopping, failures."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from build_tools.data.rows import Rows, document
from build_tools.manifest import sha256_of_file
from build_tools.recipe.schema import Stage
from build_tools.training import checkpoint, metrics
from build_tools.training.memory import memory_errors
from build_tools.training.train import Trained, train
from medlora_edge.errors import CorruptError, GateError, ResourceError, UsageError
from tests.build_tools.training.conftest import Notes, full_stage, rig, rows, stage

KILLS = 10 if os.environ.get("MEDLORA_NIGHTLY") else 1


def run(what: Stage, data: Rows, base: Path, out: Path, notes: Notes | None = None) -> Trained:
    return train(what, data, base=base, adapters=(), out=out, seed=0, watcher=notes or Notes())


def test_a_stage_leaves_an_adapter_its_metrics_and_a_curve(scratch_base: Path, tmp_path: Path) -> None:
    notes = Notes()
    done = run(stage(evaluation={"every": 2}), rows(held_out=3), scratch_base, tmp_path, notes)
    assert {path.name for path in tmp_path.iterdir()} == {"adapter", "checkpoints", "loss.svg", "metrics.jsonl"}
    assert {path.name for path in (tmp_path / "adapter").iterdir()} == {
        "adapter_base.json",
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    assert {tensor.dtype for tensor in load_file(tmp_path / "adapter" / "adapter_model.safetensors").values()} == {
        torch.float32
    }
    ET.fromstring((tmp_path / "loss.svg").read_text())
    lines = metrics.read(tmp_path)
    assert [line.step for line in lines] == [1, 2, 2, 3, 4, 4]
    assert [progress.step for progress in notes.steps] == [1, 2, 3, 4]
    assert [step for step, _ in notes.looks] == [2, 4]
    assert (done.steps, done.kept_step, done.held_out_loss) == (4, 4, notes.looks[-1][1])
    assert done.trainable_parameters == 2 * (4 * 256 + 256 * 4) + 2 * (4 * 256 + 128 * 4)
    assert json.loads(json.dumps(asdict(done))) == asdict(done), "a record can hold it"


def test_the_figures_are_those_of_the_rows(scratch_base: Path, tmp_path: Path) -> None:
    data, notes = rows(16), Notes()
    done = run(stage(), data, scratch_base, tmp_path, notes)
    assert done.tokens == sum(len(row.input_ids) for row in data.train)
    assert done.trained_tokens == sum(row.trained for row in data.train)
    last = notes.steps[-1]
    assert last.tokens_per_second > last.trained_per_second > 0
    assert last.eta_seconds == 0
    assert last.mfu is None, "the share of a peak is told on CUDA only"
    assert done.peak_bytes > 100e6, "torch alone is more"


def test_held_out_loss_is_the_mean_over_tokens(scratch_base: Path, tmp_path: Path) -> None:
    """Not over batches: the last one is short, and documents differ in length."""
    rng = np.random.default_rng(5)
    held_out = tuple(
        document(f"h{length}", tokens, tokens)
        for length in (4, 9, 17)
        for tokens in [rng.integers(5, 1024, length).tolist()]
    )
    made = rig(stage(), Rows(rows().train, held_out), scratch_base, tmp_path)
    total, count = 0.0, 0
    made.model.eval()
    for row in held_out:
        ids = torch.from_numpy(row.input_ids.astype(np.int64))[None]
        with torch.no_grad():
            loss = made.model(input_ids=ids, labels=ids).loss.item()
        total, count = total + loss * row.trained, count + row.trained
    assert made.loop.held_out_loss() == pytest.approx(total / count, abs=1e-5)


def test_training_learns(scratch_base: Path, tmp_path: Path) -> None:
    notes = Notes()
    what = full_stage(steps=12, optimiser={"name": "adamw_torch", "learning_rate": 3e-3})
    run(what, rows(4), scratch_base, tmp_path, notes)
    assert notes.steps[-1].loss < 0.5 * notes.steps[0].loss


@pytest.mark.parametrize("bits", [16, 32])
def test_all_weights_give_a_new_base_folder(scratch_base: Path, tmp_path: Path, bits: int) -> None:
    run(full_stage(load_bits=bits), rows(), scratch_base, tmp_path)
    folder = tmp_path / "weights"
    for path in scratch_base.iterdir():
        if path.suffix != ".safetensors":
            assert (folder / path.name).read_bytes() == path.read_bytes()
    before, after = load_file(scratch_base / "model.safetensors"), load_file(folder / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(before[name].dtype == after[name].dtype for name in before)
    assert not torch.equal(before["lm_head.weight"], after["lm_head.weight"])
    _, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]


def test_patience_stops_and_keeps_the_best_weights(scratch_base: Path, tmp_path: Path) -> None:
    """A learning rate that wrecks the model: the first look is the best, and its checkpoint is what stays."""
    what = full_stage(
        steps=30,
        optimiser={"name": "adamw_torch", "learning_rate": 0.1},
        limits={"spike": 1e9},
        evaluation={"every": 2, "patience": 3},
        save_every=100,
    )
    notes, data = Notes(), rows(held_out=4)
    done = run(what, data, scratch_base, tmp_path, notes)
    best_step, best_loss = min(notes.looks, key=lambda look: look[1])
    assert done.stopped_early
    assert done.steps == best_step + 3 * 2
    assert (done.kept_step, done.held_out_loss) == (best_step, best_loss)
    best = load_file(tmp_path / "checkpoints" / f"step-{best_step:08d}" / "model.safetensors")
    kept = load_file(tmp_path / "weights" / "model.safetensors")
    assert all(torch.equal(best[name], kept[name]) for name in best)

    (tmp_path / "weights" / "model.safetensors").unlink()  # as if killed between the last checkpoint and the result
    notes = Notes()
    again = run(what, data, scratch_base, tmp_path, notes)
    assert (notes.steps, notes.looks) == ([], [])
    assert again == replace(done, resumed_from=done.steps, peak_bytes=again.peak_bytes)
    same = load_file(tmp_path / "weights" / "model.safetensors")
    assert all(torch.equal(same[name], kept[name]) for name in kept)


def test_a_damaged_best_checkpoint_is_not_kept_for_the_result(scratch_base: Path, tmp_path: Path) -> None:
    what = stage(steps=6, evaluation={"every": 2, "patience": 9}, save_every=2)
    data = rows(held_out=2)
    done = run(what, data, scratch_base, tmp_path)
    best = tmp_path / "checkpoints" / f"step-{done.kept_step:08d}"
    assert best.is_dir()
    checkpoint.require_whole(best, json.loads((best / checkpoint.MARKER).read_text())["fingerprint"])
    (best / "rng_state.pth").write_bytes(b"")
    with pytest.raises(CorruptError, match=r"rng_state\.pth is not as it was written"):
        checkpoint.require_whole(best, json.loads((best / checkpoint.MARKER).read_text())["fingerprint"])


def broken_base(tiny_bases: Callable[[str], Path], folder: Path, token: int) -> Path:
    """A base in which one token's embedding is no number."""
    model = AutoModelForCausalLM.from_pretrained(tiny_bases("llama"))
    with torch.no_grad():
        model.model.embed_tokens.weight[token] = float("nan")
    model.save_pretrained(folder)
    for path in tiny_bases("llama").iterdir():
        if not (folder / path.name).exists():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_batch_that_is_no_number_stops_training_and_is_named(
    tiny_bases: Callable[[str], Path], tmp_path: Path
) -> None:
    token = 1000
    data = rows(40)
    clean = [row for row in data.train if token not in row.input_ids]
    bad = document("the bad one", [7, token, 9, 10], [7, token, 9, 10])
    what = stage(batch={"micro": 2, "accumulation": 2}, steps=None, epochs=1.0, save_every=1)
    out = tmp_path / "out"
    with pytest.raises(GateError, match="the loss is nan") as caught:
        run(what, Rows((*clean, bad), ()), broken_base(tiny_bases, tmp_path / "base", token), out)
    assert caught.value.code == 5
    assert str(out / "watchdog.json") in str(caught.value)
    finding = json.loads((out / "watchdog.json").read_text())
    assert ["the bad one"] in finding["batches"][0]["ids"]
    assert finding["batches"][0]["loss"] is None
    steps = [line.step for line in metrics.read(out)]
    assert steps == list(range(1, finding["step"])), "the broken step was not taken, nor averaged away"
    assert not (out / "adapter").exists()
    assert (out / "checkpoints" / f"step-{finding['step'] - 1:08d}" / "complete.json").exists()


def test_held_out_rows_that_give_no_number_stop_training(tiny_bases: Callable[[str], Path], tmp_path: Path) -> None:
    token, out = 1000, tmp_path / "out"
    clean = [row for row in rows(40).train if token not in row.input_ids]
    bad = document("the bad one", [7, token, 9, 10], [7, token, 9, 10])
    what = stage(evaluation={"every": 2, "patience": 1})
    with pytest.raises(GateError, match="step 2: the held-out loss is nan"):
        run(what, Rows(tuple(clean), (bad,)), broken_base(tiny_bases, tmp_path / "base", token), out)
    assert [type(line) for line in metrics.read(out)] == [metrics.StepLine] * 2


def test_a_warm_up_that_never_ends_is_said(scratch_base: Path, tmp_path: Path) -> None:
    notes = Notes()
    run(stage(steps=2, schedule={"warmup_steps": 3}), rows(), scratch_base, tmp_path, notes)
    assert notes.messages == [
        "chat: warm-up takes 3 steps and there are 2: the learning rate never reaches what the recipe says"
    ]


def test_no_row_is_a_usage_error(scratch_base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no row"):
        run(stage(), Rows((), ()), scratch_base, tmp_path)


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("can't allocate memory: 9 GB")]
)
def test_out_of_memory_exits_4_with_advice(error: Exception) -> None:
    with pytest.raises(ResourceError, match="not enough memory") as caught, memory_errors("stage chat"):
        raise error
    assert "checkpoint_activations" in str(caught.value)


def test_other_failures_are_not_called_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_errors("stage chat"):
        raise RuntimeError("shapes differ")


KILLED = """
    import sys
    from pathlib import Path
    import torch
    from tests.build_tools.training.conftest import Notes, rows, stage
    from build_tools.training.train import train

    class Loud(Notes):
        def step(self, progress):
            print(progress.step, flush=True)

    torch.set_num_threads(2)  # as here: other sums in other orders give other last bits
    what = stage(steps=40, save_every=1)
    train(what, rows(), base=Path(sys.argv[1]), adapters=(), out=Path(sys.argv[2]), seed=0, watcher=Loud())
"""


def test_a_run_killed_anywhere_ends_where_an_unbroken_one_does(scratch_base: Path, tmp_path: Path) -> None:
    what = stage(steps=40, save_every=1)
    run(what, rows(), scratch_base, tmp_path / "whole")
    moment = random.Random(1)
    for _ in range(KILLS):
        victim: Any = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(scratch_base), str(tmp_path / "killed")],
            stdout=subprocess.PIPE,
            text=True,
        )
        victim.stdout.readline()
        victim.stdout.readline()  # a step after the first saving
        time.sleep(moment.random() * 0.5)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    done = run(what, rows(), scratch_base, tmp_path / "killed")
    assert done.resumed_from
    whole, killed = (tmp_path / name / "adapter" / "adapter_model.safetensors" for name in ("whole", "killed"))
    assert sha256_of_file(whole) == sha256_of_file(killed)
    assert len(metrics.read(tmp_path / "killed")) == 40
