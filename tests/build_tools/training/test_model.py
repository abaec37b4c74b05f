"""What is trained: types, layers, frozen parts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from build_tools.recipe.schema import Stage
from build_tools.training import metrics
from build_tools.training.job import plan
from build_tools.training.model import prepare, trained_parameters
from build_tools.training.train import train
from medlora_edge.errors import CorruptError
from tests.build_tools.conftest import SHAPES
from tests.build_tools.training.conftest import EVERY_LINEAR, Notes, full_stage, rig, rows, stage

QLORA: dict[str, Any] = {
    "load_bits": 4,
    "adapter": EVERY_LINEAR.model_dump(),
    "optimiser": {"name": "adamw_bnb_8bit", "learning_rate": 1e-3},
}


def prepared(what: Stage, base: Path, *adapters: Path) -> Any:
    return prepare(plan(what, rows(), base=base, adapters=adapters, out=base, seed=0))


def test_the_base_is_nf4_and_the_adapter_fp32(scratch_base: Path, tmp_path: Path) -> None:
    made = rig(stage(**QLORA), rows(), scratch_base, tmp_path)
    layer = made.model.get_base_model().model.layers[0].self_attn.q_proj.base_layer
    assert layer.weight.dtype == torch.uint8
    assert layer.weight.quant_state.quant_type == "nf4"
    assert layer.weight.quant_state.nested
    assert layer.compute_dtype == torch.bfloat16
    made.loop.train()
    assert {parameter.dtype for parameter in trained_parameters(made.model)} == {torch.float32}
    assert len(trained_parameters(made.model)) == 2 * 7 * 2


def test_the_adapter_starts_from_the_same_fp32_numbers_as_without_trl(scratch_base: Path, tmp_path: Path) -> None:
    """TRL rounds them to bf16 on a 4-bit base; ours come back unrounded."""
    alone = prepared(stage(**QLORA), scratch_base)
    made = rig(stage(**QLORA), rows(), scratch_base, tmp_path)
    for ours, theirs in zip(trained_parameters(made.model), trained_parameters(alone), strict=True):
        assert torch.equal(ours, theirs)


def test_state_of_tensors_over_4096_elements_is_in_8_bits(scratch_base: Path, tmp_path: Path) -> None:
    what = stage(**QLORA | {"adapter": EVERY_LINEAR.model_copy(update={"rank": 8}).model_dump()})
    made = rig(what, rows(), scratch_base, tmp_path)
    made.loop.train()
    sizes: dict[torch.dtype, set[int]] = {torch.uint8: set(), torch.float32: set()}
    for parameter, state in made.loop.optimizer.optimizer.state.items():
        sizes[state["state1"].dtype].add(parameter.numel())
    assert sizes == {torch.uint8: {8 * 512}, torch.float32: {8 * 256, 8 * 128}}


def test_evaluating_does_not_change_what_is_trained(scratch_base: Path, tmp_path: Path) -> None:
    data = rows(held_out=2)
    for every in (1, 100):
        what = stage(**QLORA, evaluation={"every": every})
        train(what, data, base=scratch_base, adapters=(), out=tmp_path / str(every), seed=0, watcher=Notes())
    often, seldom = (
        [line.gradient_norm for line in metrics.read(tmp_path / every) if isinstance(line, metrics.StepLine)]
        for every in ("1", "100")
    )
    assert often == seldom


@pytest.mark.parametrize("layout", sorted(SHAPES))
@pytest.mark.parametrize("checkpointed", [False, True], ids=["plain", "checkpointed activations"])
def test_every_layout_learns_in_4_bits(
    tiny_bases: Callable[[str], Path], tmp_path: Path, layout: str, checkpointed: bool
) -> None:
    """Each adapter tensor gets a gradient, so each has moved or, in A's case, will after B has."""
    what = stage(**QLORA, steps=2, checkpoint_activations=checkpointed)
    made = rig(what, rows(), tiny_bases(layout), tmp_path)
    assert made.loop.args.activation_checkpointing is checkpointed
    before = [parameter.detach().clone() for parameter in trained_parameters(made.model)]
    made.loop.train()
    moved = [not torch.equal(old, new) for old, new in zip(before, trained_parameters(made.model), strict=True)]
    assert all(moved)


def test_rank_stabilised_scaling(scratch_base: Path) -> None:
    adapter = EVERY_LINEAR.model_copy(update={"use_rslora": True}).model_dump()
    model = prepared(stage(adapter=adapter), scratch_base)
    assert model.get_base_model().model.layers[0].mlp.up_proj.scaling["default"] == 16 / 4


@pytest.fixture(scope="module")
def earlier(scratch_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("earlier")
    train(stage(), rows(), base=scratch_base, adapters=(), out=out, seed=0, watcher=Notes())
    return out / "adapter"


def test_an_earlier_adapter_answers_frozen_and_without_dropout_under_the_new_one(
    scratch_base: Path, earlier: Path, tmp_path: Path
) -> None:
    what = stage(previous="stack", **QLORA)
    made = rig(what, rows(), scratch_base, tmp_path, adapters=[earlier])
    stacked = made.model.get_base_model().model.layers[0].self_attn.q_proj
    before = stacked.lora_A["earlier0"].weight.clone()
    assert stacked.active_adapters == ["earlier0", "default"]
    assert isinstance(stacked.lora_dropout["earlier0"], torch.nn.Identity)
    assert torch.equal(before, load_file(earlier / "adapter_model.safetensors")[A_WEIGHT])
    made.loop.train()
    assert torch.equal(stacked.lora_A["earlier0"].weight, before)
    assert not any("earlier0" in name for name, p in made.model.named_parameters() if p.requires_grad)


def test_a_stacked_stage_saves_the_new_adapter_only_and_says_what_it_lies_on(
    scratch_base: Path, earlier: Path, tmp_path: Path
) -> None:
    from build_tools.bases import origin
    from build_tools.manifest import sha256_of_folder

    what = stage(previous="stack", save_every=2)
    train(what, rows(), base=scratch_base, adapters=[earlier], out=tmp_path, seed=0, watcher=Notes())
    tensors = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert len(tensors) == 8
    assert not any("earlier" in name for name in tensors)
    assert origin.read(tmp_path / "adapter") == origin.Origin(
        base_sha256=sha256_of_folder(scratch_base), adapters=(sha256_of_folder(earlier),), load_bits=32
    )


A_WEIGHT = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize("damage", ["missing", "extra", "shape"])
def test_a_damaged_earlier_adapter_is_refused(scratch_base: Path, earlier: Path, tmp_path: Path, damage: str) -> None:
    tensors = load_file(earlier / "adapter_model.safetensors")
    match damage:
        case "missing":
            del tensors[A_WEIGHT]
        case "extra":
            tensors[A_WEIGHT.replace("q_proj", "o_proj")] = tensors[A_WEIGHT].clone()
        case "shape":
            tensors[A_WEIGHT] = tensors[A_WEIGHT][:, :-1].contiguous()
    (tmp_path / "adapter_config.json").write_bytes((earlier / "adapter_config.json").read_bytes())
    save_file(tensors, tmp_path / "adapter_model.safetensors", {"format": "pt"})
    with pytest.raises(CorruptError, match=r"q_proj|o_proj"):
        prepared(stage(previous="stack"), scratch_base, tmp_path)


def test_precision_of_one_stage_does_not_leak_into_the_next(scratch_base: Path, tmp_path: Path) -> None:
    assert rig(full_stage(load_bits=16), rows(), scratch_base, tmp_path).loop.accelerator.mixed_precision == "bf16"
    assert rig(stage(), rows(), scratch_base, tmp_path).loop.accelerator.mixed_precision == "no"


def test_the_saved_adapter_names_no_place_of_this_machine(earlier: Path) -> None:
    config = json.loads((earlier / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    assert config["target_modules"] == ["q_proj", "v_proj"]
