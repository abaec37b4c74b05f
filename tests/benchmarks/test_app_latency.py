"""What is measured of the app is what stands on its screen: run on the tiny model, without a clock."""

from pathlib import Path

import pytest

from benchmarks import app_latency, app_latency_phases
from benchmarks.app_latency_phases import Phase, one_round
from benchmarks.setup import Setup


def test_every_phase_is_reached_and_measured(tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_latency_phases, "KEYS", 3)
    setup = Setup(tiny_gguf, threads=1, rounds=1, workplace=tmp_path)
    app_latency.install(setup)
    waits = one_round(setup)
    assert waits.paint > 0
    assert set(waits.echo) == set(Phase)
    assert set(waits.stop) == {Phase.LOADING, Phase.PROMPT, Phase.ANSWER}
    assert set(waits.idle) == {Phase.PROMPT, Phase.ANSWER}
    seconds = [second for some in waits.echo.values() for second in some]  # a tiny model may be loaded before a key
    assert min(*waits.stop.values(), *seconds) > 0


def test_percentile_is_a_value_that_was_measured() -> None:
    assert app_latency.percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert app_latency.percentile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert app_latency.percentile([7.0], 0.95) == 7.0
