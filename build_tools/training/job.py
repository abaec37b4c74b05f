"""What one run of training works on, settled before anything heavy is loaded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from build_tools.bases.origin import Origin
from build_tools.data.rows import Row, Rows
from build_tools.manifest import sha256_of_folder, sha256_of_json
from build_tools.recipe.schema import Stage
from build_tools.training.order import order, total_steps


@dataclass(frozen=True)
class Job:
    """Rows and the order they are seen in, the weights they are trained on, and the folder for what comes of it.

    `fingerprint`: hash of all that decides the run; a checkpoint with another one belongs to another run.
    """

    stage: Stage
    train: Sequence[Row]
    held_out: Sequence[Row]
    order: Sequence[int]
    base: Path
    adapters: Sequence[Path]
    origin: Origin
    out: Path
    seed: int
    fingerprint: str

    @property
    def checkpoints(self) -> Path:
        """Where they lie."""
        return self.out / "checkpoints"

    @property
    def total_steps(self) -> int:
        """Optimiser steps from the first to the last."""
        return total_steps(len(self.order), self.stage)


def plan(stage: Stage, rows: Rows, *, base: Path, adapters: Sequence[Path], out: Path, seed: int) -> Job:
    """Settle a run. Raises UsageError without rows."""
    seen = order(len(rows.train), stage, seed).tolist()
    origin = Origin(
        base_sha256=sha256_of_folder(base),
        adapters=tuple(sha256_of_folder(adapter) for adapter in adapters),
        load_bits=stage.load_bits,
    )
    decides = {
        "rows": _sha256(rows, seen),
        "stage": stage.model_dump(mode="json"),
        "origin": origin.model_dump(mode="json"),
        "seed": seed,
    }
    return Job(
        stage=stage,
        train=rows.train,
        held_out=rows.held_out,
        order=seen,
        base=base,
        adapters=adapters,
        origin=origin,
        out=out,
        seed=seed,
        fingerprint=sha256_of_json(decides),
    )


def _sha256(rows: Rows, seen: Sequence[int]) -> str:
    digest = hashlib.sha256(np.asarray(seen, np.int64).tobytes())
    for row in (*rows.train, *rows.held_out):
        digest.update(repr((row.ids, row.seq_lengths)).encode())
        digest.update(np.asarray(row.input_ids).tobytes() + np.asarray(row.labels).tobytes())
    return digest.hexdigest()
