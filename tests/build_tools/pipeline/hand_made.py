"""A run of three quick steps made by hand: data, a training that resumes, a merge; also a program to be killed."""

import sys
import time
from functools import partial
from pathlib import Path

from build_tools.manifest import StepRecord, sha256_of_file
from build_tools.pipeline import runfolder
from build_tools.pipeline.chain import Chain
from build_tools.pipeline.step import Artefact, Outcome, Say, silent
from build_tools.recipe.schema import Recipe
from build_tools.training.watcher import Silent

FILES = 12
STEPS = ("data/chat", "train/chat", "merged/chat-full")
ADAPTER = {"rank": 4, "alpha": 8, "target_modules": "all-linear"}
SCRATCH = {
    "hidden": 256,
    "layers": 1,
    "heads": 4,
    "kv_heads": 4,
    "feed_forward": 256,
    "vocabulary": 512,
    "context": 128,
}


def recipe(rank: int = 4) -> Recipe:
    stage = {
        "name": "chat",
        "kind": "chat",
        "adapter": {**ADAPTER, "rank": rank},
        "optimiser": {"learning_rate": 1e-3},
        "steps": 2,
        "max_length": 64,
        "data": [{"format": "question_answer", "file": "data.jsonl", "licence": "cc0"}],
    }
    whole = {"name": "hand-made", "source": "none", "base": {"scratch": SCRATCH, "licence": "cc0"}, "stages": [stage]}
    return Recipe.model_validate(whole)


def run(folder: Path, recipe_folder: Path, *, pause: float = 0.0, say: Say = silent) -> list[StepRecord]:
    """Do the three steps; `pause`: seconds between two files of a step."""
    spec = recipe()
    chain = Chain(spec, recipe_folder, folder, Silent(), say)
    stage = spec.stages[0].model_dump(mode="json")
    with runfolder.hold(folder, spec, recipe_folder):
        source = recipe_folder / "data.jsonl"
        outside = Artefact("data:data.jsonl", source, sha256_of_file(source))
        data = chain.do(STEPS[0], partial(_copy, source, pause), inputs=(outside,))
        rows = chain.output(data)
        train = chain.do(STEPS[1], partial(_train, rows.path, pause), inputs=(rows,), part=stage, kept=("checkpoints",))
        adapter = chain.output(train, "adapter")
        merged = chain.do(STEPS[2], partial(_copy, adapter.path / "weights.bin", pause), inputs=(rows, adapter))
    return [data, train, merged]


def _copy(source: Path, pause: float, folder: Path) -> Outcome:
    """Write the source's lines into several files, as a save of shards does."""
    folder.mkdir()
    for number in range(FILES):
        time.sleep(pause)
        (folder / f"part-{number:02d}").write_bytes(source.read_bytes() + bytes([number]))
    return Outcome(facts={"files": FILES})


def _train(rows: Path, pause: float, folder: Path) -> Outcome:
    """Leave a checkpoint a step; go on from those that are there."""
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    resumed = len(list(checkpoints.iterdir()))
    for number in range(resumed, FILES):
        time.sleep(pause)
        (checkpoints / str(number)).touch()
    (folder / "adapter").mkdir(exist_ok=True)
    (folder / "adapter" / "weights.bin").write_bytes((rows / "part-00").read_bytes())
    return Outcome(facts={"resumed": resumed})


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), pause=float(sys.argv[3]))
