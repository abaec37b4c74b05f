"""Speed and memory of a QLoRA training step: our stage beside TRL's own pipeline on the same processor.

python -m benchmarks.train_step
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.companion import Companion
from benchmarks.figure import Figure, Sense, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import Setup
from build_tools.bases import scratch
from build_tools.bases.counts import skeleton
from build_tools.bases.quiet import quiet
from build_tools.bases.shape import read
from build_tools.preflight.memory_plan import plan
from build_tools.recipe.schema import ChatStage, Scratch
from medlora_edge.bench.library import sample
from medlora_edge.models.units import MIB
from medlora_edge.tasks import task

BAR = 0.9
BAR_PLAN = 0.25
BASE = Scratch(hidden=512, layers=6, heads=8, kv_heads=4, feed_forward=1536, vocabulary=1024, context=512)
STAGE: dict[str, Any] = {
    "kind": "chat",
    "name": "measured",
    "load_bits": 4,
    "data": [{"format": "pubmedqa", "file": "none.json", "licence": "none"}],
    "adapter": {"rank": 16, "alpha": 32, "dropout": 0.05, "target_modules": "all-linear"},
    "optimiser": {"name": "adamw_bnb_8bit", "learning_rate": 1e-4},
    "batch": {"micro": 4, "accumulation": 1},
    "steps": 20,
    "max_length": 256,
    "save_every": 1000,
}

Answer = dict[str, Any]


def measure(setup: Setup) -> Sequence[Figure]:
    """Tokens a second after the first step, and the planned memory against the peak of our side."""
    base, stage = _base(setup.workplace / "base"), ChatStage.model_validate(STAGE)
    rounds = in_turn(setup.rounds, lambda: _train("ours", base), lambda _: _train("trl", base))
    return [
        ratio("training", "tokens/s", rounds, lambda done: _rate(done, stage), bar=BAR),
        _memory(base, stage, [done["peak_bytes"] for done in rounds.ours]),
    ]


def _base(folder: Path) -> Path:
    chats = (task("pubmedqa").messages(item.question) for item in sample().items)
    scratch.make(BASE, (turn.content for chat in chats for turn in chat), folder, seed=0)
    return folder


def _train(side: str, base: Path) -> Answer:
    with Companion("benchmarks.train_side", side, base, json.dumps(STAGE)) as process:
        return process.ask()


def _rate(done: Answer, stage: ChatStage) -> float:
    """Tokens a second from the end of the first step to the end of the last."""
    ends = done["ends"]
    return (len(ends) - 1) * stage.batch.micro * stage.max_length / (float(ends[-1]) - float(ends[0]))


def _memory(base: Path, stage: ChatStage, peaks: Sequence[int]) -> Figure:
    config = read(base)
    with quiet():
        planned = plan(config, skeleton(config), stage, "cpu").total
    measured = tuple(peak / MIB for peak in peaks)
    off = abs(planned / MIB / median(measured) - 1)
    note = "how far the plan is from the measured peak"
    return Figure("planned memory", "MiB", off, BAR_PLAN, Sense.AT_MOST, (planned / MIB,), measured, note=note)


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
