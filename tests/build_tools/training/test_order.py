"""Which row is seen when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_tools.recipe.schema import Schedule
from build_tools.training.arguments import warmup_steps
from build_tools.training.order import order, total_steps
from tests.build_tools.training.conftest import stage


@given(rows=st.integers(1, 50), epochs=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_every_epoch_sees_every_row_once(rows: int, epochs: int, seed: int) -> None:
    seen = order(rows, stage(steps=None, epochs=float(epochs)), seed)
    assert [sorted(part) for part in np.split(seen, epochs)] == [list(range(rows))] * epochs


def test_epochs_and_seeds_are_shuffled_apart() -> None:
    what = stage(steps=None, epochs=2.0)
    seen = order(30, what, 0)
    assert seen[:30].tolist() != seen[30:].tolist()
    assert seen.tolist() == order(30, what, 0).tolist()
    assert seen.tolist() != order(30, what, 1).tolist()


@pytest.mark.parametrize(
    ("changes", "rows", "seen", "steps"),
    [
        ({"steps": 5}, 7, 20, 5),
        ({"steps": None, "epochs": 1.0}, 9, 9, 3),
        ({"steps": None, "epochs": 0.5}, 9, 5, 2),
        ({"steps": None}, 8, 8, 2),
    ],
)
def test_steps_and_epochs_say_how_many_rows_are_seen(
    changes: dict[str, object], rows: int, seen: int, steps: int
) -> None:
    what = stage(**changes)
    assert len(order(rows, what, 0)) == seen
    assert total_steps(seen, what) == steps


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        ({}, 0),
        ({"warmup_steps": 1}, 1),
        ({"warmup_ratio": 0.03}, 4),
        ({"warmup_ratio": 1.0}, 101),
        ({"warmup_ratio": 0.0}, 0),
    ],
)
def test_warm_up_is_whole_steps(schedule: dict[str, object], steps: int) -> None:
    assert warmup_steps(Schedule.model_validate(schedule), 101) == steps
