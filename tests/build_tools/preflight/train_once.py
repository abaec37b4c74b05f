"""Trains a few steps on a base and prints the peak of resident memory: `python -m ... BASE STAGE_JSON`."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from build_tools.data.rows import IGNORED, Row, Rows
from build_tools.recipe.schema import ChatStage
from build_tools.training.train import train


class Silent:
    """A watcher that looks away."""

    def __getattr__(self, _: str) -> object:
        return lambda *_args, **_options: None


def row(number: int, length: int) -> Row:
    """Two documents of random tokens side by side."""
    tokens = np.random.default_rng(number).integers(5, 900, length).astype(np.int32)
    labels, half = tokens.copy(), length // 2
    labels[[0, half]] = IGNORED
    return Row((f"{number}a", f"{number}b"), tokens, labels, (half, length - half))


def main() -> None:
    """Print the measured bytes."""
    base, stage = Path(sys.argv[1]), ChatStage.model_validate(json.loads(sys.argv[2]))
    rows = Rows(tuple(row(number, stage.max_length) for number in range(3 * stage.batch.micro)), ())
    with tempfile.TemporaryDirectory() as out:
        trained = train(stage, rows, base=base, adapters=(), out=Path(out), seed=0, watcher=Silent())  # type: ignore[arg-type]
    print(f"peak {trained.peak_bytes}")


if __name__ == "__main__":
    main()
