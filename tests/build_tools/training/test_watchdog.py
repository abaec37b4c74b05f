"""When the watchdog barks [R25]."""

import json
import math
from pathlib import Path

import pytest

from build_tools.training.watchdog import NAME, MicroBatch, Watchdog
from medlora_edge.errors import GateError

HEALTHY = [2.0, 2.1, 1.9, 2.0, 2.2]
BATCHES = (
    MicroBatch(ids=(("calm",),), trained_tokens=5, loss=1.0),
    MicroBatch(ids=(("loud", "with it"),), trained_tokens=3, loss=30.0),
)


def test_a_spike_is_stopped_and_the_worst_rows_come_first(tmp_path: Path) -> None:
    dog = Watchdog(3.0, tmp_path, HEALTHY)
    dog.look(6, 5.9, 1.0, BATCHES)
    with pytest.raises(GateError, match=r"step 7: the loss leapt to 6\.2, over 6\.15") as caught:
        dog.look(7, 6.2, 1.0, BATCHES)
    assert NAME in str(caught.value.where)
    finding = json.loads((tmp_path / NAME).read_text())
    assert finding["median"] == 2.05
    assert [batch["ids"] for batch in finding["batches"]] == [[["loud", "with it"]], [["calm"]]]


@pytest.mark.parametrize(
    ("loss", "norm", "reason"),
    [
        (math.nan, 1.0, "the loss is nan"),
        (math.inf, 1.0, "the loss is inf"),
        (2.0, math.nan, "the norm of the gradient is nan"),
    ],
)
def test_what_is_no_number_is_stopped_at_once(tmp_path: Path, loss: float, norm: float, reason: str) -> None:
    with pytest.raises(GateError, match=reason):
        Watchdog(3.0, tmp_path).look(1, loss, norm, BATCHES)


def test_a_held_out_loss_that_is_no_number_is_stopped(tmp_path: Path) -> None:
    dog = Watchdog(3.0, tmp_path)
    dog.look_held_out(1, 2.0)
    with pytest.raises(GateError, match="step 2: the held-out loss is nan") as caught:
        dog.look_held_out(2, math.nan)
    assert "trained anew" in str(caught.value.fix)
    finding = json.loads((tmp_path / NAME).read_text())
    assert (finding["reason"], finding["loss"], finding["batches"]) == ("the held-out loss is nan", None, [])


def test_a_run_may_start_anywhere_and_fall(tmp_path: Path) -> None:
    dog = Watchdog(3.0, tmp_path)
    losses = (2.0, 9.0, 1.0, 8.0, 3.0, 0.5, 0.1, 0.01, 0.4)
    for step, loss in enumerate(losses):
        dog.look(step, loss, 1.0, BATCHES)
    assert dog.recent == losses


def test_small_losses_may_double_often(tmp_path: Path) -> None:
    dog = Watchdog(3.0, tmp_path, [0.01] * 20)
    dog.look(21, 0.49, 1.0, BATCHES)
    assert dog.recent == (*[0.01] * 19, 0.49)


def test_only_the_recent_steps_count(tmp_path: Path) -> None:
    dog = Watchdog(3.0, tmp_path, [9.0] * 30 + [1.0] * 20)
    with pytest.raises(GateError, match="leapt"):
        dog.look(51, 4.0, 1.0, BATCHES)
    assert dog.recent == (1.0,) * 20
