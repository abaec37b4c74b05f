"""Which row is seen when: a pure function of the seed, so that a resumed run sees what the first would have seen."""

import math

import numpy as np
from numpy.typing import NDArray

from build_tools.recipe.schema import Stage
from medlora_edge.errors import UsageError


def order(rows: int, stage: Stage, seed: int) -> NDArray[np.int64]:
    """Row indices in the order of training, one shuffled epoch behind the other.

    Windows of batch.micro x batch.accumulation are the steps; a step may straddle two epochs, and only the last one may
    be short. Raises UsageError without rows.
    """
    if rows == 0:
        raise UsageError(
            "there is no row to train on",
            where=f"stage {stage.name}",
            fix="look at `medlora-build preview`: which rows were dropped, and why",
        )
    wanted = _rows_seen(rows, stage)
    epochs = [np.random.default_rng([seed, epoch]).permutation(rows) for epoch in range(math.ceil(wanted / rows))]
    return np.concatenate(epochs)[:wanted].astype(np.int64)


def total_steps(rows_seen: int, stage: Stage) -> int:
    """Optimiser steps that the order takes."""
    return math.ceil(rows_seen / (stage.batch.micro * stage.batch.accumulation))


def _rows_seen(rows: int, stage: Stage) -> int:
    if stage.steps is not None:
        return stage.steps * stage.batch.micro * stage.batch.accumulation
    return math.ceil(rows * (1.0 if stage.epochs is None else stage.epochs))
