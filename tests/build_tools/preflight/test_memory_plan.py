"""The memory plan: exact where it is arithmetic, near what real training takes, larger where more is asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases.counts import Skeleton, skeleton
from build_tools.bases.shape import read
from build_tools.preflight.memory_plan import HEAD_TOKENS, HELD, MemoryPlan, plan
from build_tools.training import head
from tests.build_tools.preflight.stages import CHAT, chat, completion


@pytest.fixture(scope="module")
def tiny(scratch_base: Path) -> tuple[dict[str, Any], Skeleton]:
    config = read(scratch_base)
    return config, skeleton(config)


def planned(tiny: tuple[dict[str, Any], Skeleton], **changes: Any) -> MemoryPlan:
    return plan(*tiny, chat(**changes), "cpu")


def test_parts_that_are_arithmetic(tiny: tuple[dict[str, Any], Skeleton]) -> None:
    trained = 65_536
    found = planned(tiny, optimiser={"learning_rate": 1e-4, "name": "adamw_torch"}, load_bits=32)
    assert (found.adapter, found.gradients, found.optimiser) == (4 * trained, 4 * trained, 8 * trained)
    assert found.weights == 4 * 1_705_216
    assert found.total == sum(found.parts.values())


def test_eight_bit_state_serves_only_tensors_over_4096_numbers(tiny: tuple[dict[str, Any], Skeleton]) -> None:
    small = planned(tiny)  # rank 8 x 512 is 4,096: all of it keeps floats
    large = planned(tiny, adapter={"rank": 32, "alpha": 16, "target_modules": "all-linear"})
    assert small.optimiser == 8 * 65_536
    assert large.optimiser < 3 * 4 * 65_536


def test_four_bits_take_less_than_sixteen_and_those_less_than_thirty_two(
    tiny: tuple[dict[str, Any], Skeleton],
) -> None:
    weights = [planned(tiny, load_bits=bits).weights for bits in (4, 16, 32)]
    assert weights == sorted(weights)


def test_activations_grow_with_rows_and_length_and_shrink_by_checkpointing(
    tiny: tuple[dict[str, Any], Skeleton],
) -> None:
    one, two = (planned(tiny, batch={"micro": micro}).activations for micro in (1, 2))
    assert 1.5 * one < two <= 2 * one
    assert 1.5 * one < planned(tiny, max_length=256).activations
    assert planned(tiny, batch={"micro": 2}, checkpoint_activations=True).activations < two


def test_training_all_weights_counts_them_four_times(tiny: tuple[dict[str, Any], Skeleton]) -> None:
    stage = completion(adapter="none", load_bits=32, optimiser={"learning_rate": 1e-4, "name": "adamw_torch"})
    found = plan(*tiny, stage, "cpu")
    assert found.weights + found.adapter + found.gradients + found.optimiser == 16 * 1_705_216


def test_logits_are_those_of_the_head_that_computes_them(tiny: tuple[dict[str, Any], Skeleton]) -> None:
    """Ours, a thousand tokens at a time, on a CPU; TRL's with its larger tiles elsewhere."""
    assert HEAD_TOKENS == head.TOKENS
    config, model = tiny
    stages = [chat(max_length=length, load_bits=32) for length in (HEAD_TOKENS, 4 * HEAD_TOKENS)]
    once, four_times = (plan(config, model, stage, "cpu").logits for stage in stages)
    states = 2 * 4 * HEAD_TOKENS * config["hidden_size"]
    assert four_times - once == pytest.approx(HELD["cpu"] * 3 * states, abs=2)
    capped = plan(config | {"final_logit_softcapping": 30.0}, model, stages[1], "cpu").logits
    assert capped > 2 * four_times


@pytest.mark.parametrize("recompute", [False, True], ids=["8 x 512", "recomputed"])
def test_the_plan_is_within_a_quarter_of_what_real_training_takes(
    recompute: bool, scratch_base: Path, tiny: tuple[dict[str, Any], Skeleton]
) -> None:
    changes = {"max_length": 512, "batch": {"micro": 8}, "checkpoint_activations": recompute}
    stage = json.dumps(CHAT | changes | {"steps": 3})
    command = [sys.executable, "-m", "tests.build_tools.preflight.train_once", str(scratch_base), stage]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    measured = int(done.stdout.split("peak ")[1])
    assert planned(tiny, **changes).total == pytest.approx(measured, rel=0.25)
