"""Rows made by hand, small stages, and watchers that note or interrupt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from build_tools.data.rows import Row, Rows, document, joined
from build_tools.recipe.schema import Adapter, ChatStage, CompletionStage, Stage
from build_tools.training.job import plan
from build_tools.training.memory import PeakMemory
from build_tools.training.meter import Meter
from build_tools.training.model import prepare
from build_tools.training.monitor import Monitor
from build_tools.training.trainer import make
from build_tools.training.watcher import Progress, Silent
from medlora_edge.errors import StoppedError
from tests.build_tools.conftest import TINY

STAGE: dict[str, Any] = {
    "kind": "chat",
    "name": "chat",
    "load_bits": 32,
    "data": [{"format": "pubmedqa", "file": "ori_pqal.json", "licence": "MIT"}],
    "adapter": {"rank": 4, "alpha": 8, "dropout": 0.1, "target_modules": ["q_proj", "v_proj"]},
    "optimiser": {"name": "adamw_torch", "learning_rate": 1e-3},
    "batch": {"micro": 2, "accumulation": 2},
    "steps": 4,
    "max_length": 64,
}
EVERY_LINEAR = Adapter(rank=16, alpha=16, target_modules="all-linear")


def stage(**changes: Any) -> ChatStage:
    """A small supervised stage in fp32, with these keys changed."""
    return ChatStage.model_validate(STAGE | changes)


def full_stage(**changes: Any) -> CompletionStage:
    """A small completion stage that trains all weights."""
    data = [{"format": "text", "files": ["notes.txt"], "licence": "CC0"}]
    return CompletionStage.model_validate(STAGE | {"kind": "completion", "data": data, "adapter": "none"} | changes)


def single(id_: str, length: int, rng: np.random.Generator) -> Row:
    """One document of random tokens whose second half is learned."""
    tokens = rng.integers(5, TINY.vocabulary, length).tolist()
    return document(id_, tokens, [-100 if index < length // 2 else token for index, token in enumerate(tokens)])


def rows(count: int = 12, *, held_out: int = 0, packed: int = 2, seed: int = 0) -> Rows:
    """So many rows of `packed` documents each, and held-out rows of one document."""
    rng = np.random.default_rng(seed)
    train = [
        joined([single(f"row{index}/{part}", int(rng.integers(6, 16)), rng) for part in range(packed)])
        for index in range(count)
    ]
    return Rows(tuple(train), tuple(single(f"held{index}", 12, rng) for index in range(held_out)))


@dataclass
class Notes(Silent):
    """Keeps what training told; interrupts it after `stop_after` steps."""

    stop_after: int | None = None
    steps: list[Progress] = field(default_factory=list)
    looks: list[tuple[int, float]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def step(self, progress: Progress) -> None:
        self.steps.append(progress)
        if progress.step == self.stop_after:
            raise StoppedError("stopped by the test")

    def evaluated(self, stage: str, step: int, loss: float) -> None:
        self.looks.append((step, loss))

    def note(self, message: str) -> None:
        self.messages.append(message)


@pytest.fixture(autouse=True)
def few_threads() -> None:
    """Tiny matrices are slower on many threads."""
    import torch

    torch.set_num_threads(2)


@dataclass
class Rig:
    """A loop before it runs, with what it is made of."""

    loop: Any
    model: Any
    monitor: Monitor


def rig(what: Stage, data: Rows, base: Path, out: Path, *, adapters: Sequence[Path] = (), seed: int = 0) -> Rig:
    """What `train` puts together, without running it."""
    from transformers import AutoTokenizer

    out.mkdir(parents=True, exist_ok=True)
    job = plan(what, data, base=base, adapters=adapters, out=out, seed=seed)
    model = prepare(job)
    meter = Meter(flops_per_token=1.0, peak=None)
    monitor = Monitor(job, meter=meter, peak=PeakMemory(cuda=False), watcher=Silent())
    return Rig(make(model, AutoTokenizer.from_pretrained(base), job, monitor), model, monitor)
