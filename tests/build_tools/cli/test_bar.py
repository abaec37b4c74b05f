"""The live bar: what it shows of a step, and what stays on the screen."""

from dataclasses import replace

import pytest

from build_tools.cli.bar import Bar, figures, time_left
from build_tools.training.watcher import Progress

STEP = Progress(
    stage="answers",
    step=40,
    total=40,
    loss=1.23456,
    learning_rate=2e-4,
    tokens_per_second=7897.4,
    trained_per_second=580.2,
    peak_bytes=3 << 30,
    eta_seconds=3_725,
)


def test_a_step_is_shown_with_all_its_figures() -> None:
    assert figures(STEP) == "loss 1.2346, lr 2.00e-04, 7,897 tok/s (580 trained), 3.0 GiB"
    assert time_left(STEP) == "1:02:05 left"


def test_mfu_is_shown_where_it_is_known() -> None:
    assert "MFU 41%" in figures(replace(STEP, mfu=0.41))


def test_losses_and_notes_stay_and_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar.step(STEP)
        bar.evaluated("answers", 40, 0.5)
        bar.note("checkpoint-10 \x1b[31mpassed over [red]")
    shown = capsys.readouterr().err
    assert "train/answers: step 40 of 40, loss 1.2346" in shown
    assert "held-out loss 0.5000" in shown
    assert "checkpoint-10 [31mpassed over [red]" in shown
