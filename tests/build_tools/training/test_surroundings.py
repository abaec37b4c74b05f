"""Network, chatter, speed: what surrounds the loop [R16]."""

import os
import subprocess
import sys
import warnings

import pytest
from huggingface_hub import constants

from build_tools.bases.quiet import quiet
from build_tools.training import offline
from build_tools.training.memory import KERNELS, KERNELS_KEPT, keep_few_kernels
from build_tools.training.meter import Meter, flops_per_token, peak_of


def test_the_hub_is_offline_inside_and_as_before_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    before = constants.HF_HUB_OFFLINE
    with offline.offline():
        assert constants.HF_HUB_OFFLINE
        assert constants.HF_HUB_DISABLE_TELEMETRY
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["DO_NOT_TRACK"] == "1"
    assert before == constants.HF_HUB_OFFLINE
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert "DO_NOT_TRACK" not in os.environ


def test_deprecations_are_silent_inside(recwarn: pytest.WarningsRecorder) -> None:
    with quiet():
        warnings.warn("old", FutureWarning, stacklevel=1)
    assert not recwarn.list


@pytest.mark.parametrize(("own", "kept"), [("", KERNELS_KEPT), ("7", "7")])
def test_few_kernels_are_kept_unless_the_user_says_otherwise(
    own: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KERNELS, own)
    if not own:
        del os.environ[KERNELS]
    keep_few_kernels()
    assert os.environ[KERNELS] == kept


def test_importing_the_room_imports_no_trainer() -> None:
    """Errors in a recipe are told before torch is loaded [R1]."""
    code = (
        "import sys, build_tools.training.train\n"
        "heavy = {'torch', 'transformers', 'peft', 'trl', 'bitsandbytes', 'datasets', 'accelerate'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_time_between_steps_is_not_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 100.0, 101.0, 101.0, 200.0, 202.0, 202.0])
    monkeypatch.setattr("build_tools.training.meter.time.monotonic", lambda: next(clock))
    meter = Meter(flops_per_token=4e9, peak=1e12)
    meter.start()
    assert meter.finish(1000, 100) == 5.0
    meter.start()
    meter.finish(50, 10)
    assert meter.tokens_per_second == 50, "the first step warmed up and is left out"
    assert meter.trained_per_second == 10
    assert meter.eta_seconds(2) == 101.0
    meter.start()
    meter.finish(100, 20)
    assert meter.tokens_per_second == 50
    assert meter.mfu == pytest.approx(0.2)


def test_known_cards_have_a_peak() -> None:
    assert peak_of("NVIDIA H200") == 989e12
    assert peak_of("NVIDIA GeForce RTX 4090") == 165e12
    assert peak_of("NVIDIA A10G") == 125e12
    assert peak_of("NVIDIA A100-SXM4-80GB") == 312e12
    assert peak_of("some other card") is None


def test_a_frozen_weight_costs_no_gradient_of_its_own() -> None:
    assert flops_per_token(trainable=10, frozen=100) == 460
