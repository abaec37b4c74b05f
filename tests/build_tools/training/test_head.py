"""The loss over trained tokens is that of a plain cross-entropy and of TRL's head, for every layout; nothing else is
computed."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from build_tools.bases.architectures import ARCHITECTURES
from build_tools.data.rows import IGNORED
from build_tools.training import head
from build_tools.training.batches import collate
from tests.build_tools.conftest import SHAPES
from tests.build_tools.training.conftest import full_stage, rig, rows, stage

NO_DROPOUT = {"rank": 4, "alpha": 8, "target_modules": "all-linear"}
Batch = dict[str, torch.Tensor]


def batch() -> Batch:
    """Four packed rows of different lengths; half of each document is learned."""
    return collate(rows(4).train)


def counted(inputs: Batch) -> int:
    return int((inputs["labels"][:, 1:] != IGNORED).sum())


def gradients(model: Any, loss: torch.Tensor) -> Mapping[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def assert_same(ours: Mapping[str, torch.Tensor], theirs: Mapping[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-4, atol=1e-6, msg=name)


def test_every_architecture_has_a_layout_here(tiny_bases: Callable[[str], Path]) -> None:
    configs = [json.loads((tiny_bases(layout) / "config.json").read_text()) for layout in SHAPES]
    assert {config["architectures"][0] for config in configs} == set(ARCHITECTURES)


@pytest.mark.parametrize("layout", sorted(SHAPES))
def test_loss_and_gradients_are_those_of_a_plain_loop(
    tiny_bases: Callable[[str], Path], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several pieces, the last one short; all weights have gradients, and the heads of GPT-2 and Gemma are tied."""
    monkeypatch.setattr(head, "TOKENS", 7)
    model, inputs = AutoModelForCausalLM.from_pretrained(tiny_bases(layout)).eval(), batch()
    assert counted(inputs) % head.TOKENS
    ours = head.loss(model, inputs, None)
    features = {key: value for key, value in inputs.items() if key != "labels"}
    logits = model(**features, use_cache=False).logits[:, :-1].flatten(0, 1)
    plain = cross_entropy(logits, inputs["labels"][:, 1:].flatten())
    assert ours.item() == pytest.approx(plain.item(), abs=1e-5)
    assert_same(gradients(model, ours), gradients(model, plain))


@pytest.mark.parametrize("what", [stage(adapter=NO_DROPOUT), full_stage()], ids=["adapter", "all weights"])
@pytest.mark.parametrize("items", [None, torch.tensor(100)], ids=["own count", "the step's count"])
def test_loss_and_gradients_are_those_of_trls_head(
    scratch_base: Path, tmp_path: Path, what: Any, items: torch.Tensor | None
) -> None:
    loop = rig(what, rows(), scratch_base, tmp_path).loop
    assert loop.own_head
    ours = loop.compute_loss(loop.model, batch(), num_items_in_batch=items)
    found = gradients(loop.model, ours)
    loop.own_head = False
    theirs = loop.compute_loss(loop.model, batch(), num_items_in_batch=items)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert_same(found, gradients(loop.model, theirs))


def test_recomputed_activations_change_nothing(scratch_base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(scratch_base).train()
    before = gradients(model, head.loss(model, batch(), None))
    model.activation_checkpointing_enable()
    assert_same(gradients(model, head.loss(model, batch(), None)), before)


def test_only_trained_tokens_are_computed_and_few_at_once(scratch_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "TOKENS", 10)
    model, inputs, seen = AutoModelForCausalLM.from_pretrained(scratch_base), batch(), []
    model.get_output_embeddings().register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[:-1].numel()))
    with torch.no_grad():
        head.loss(model, inputs, None)
    assert sum(seen) == counted(inputs) < inputs["labels"].numel() / 2
    assert set(seen[:-1]) == {10}


def test_a_batch_without_trained_tokens_costs_nothing_and_moves_nothing(scratch_base: Path) -> None:
    model, inputs = AutoModelForCausalLM.from_pretrained(scratch_base), batch()
    inputs["labels"].fill_(IGNORED)
    for trained in (None, torch.tensor(0), torch.tensor(50)):
        loss = head.loss(model, inputs, trained)
        assert loss.item() == 0
        assert not any(gradient.any() for gradient in gradients(model, loss).values())


def test_products_are_in_bf16_where_the_stage_trains_so(scratch_base: Path, tmp_path: Path) -> None:
    seen = []
    for bits in (16, 32):
        loop = rig(full_stage(load_bits=bits), rows(), scratch_base, tmp_path / str(bits)).loop
        loop.model.get_output_embeddings().register_forward_hook(lambda _, __, logits: seen.append(logits.dtype))
        assert loop.compute_loss(loop.model, batch()).dtype == torch.float32
    assert seen == [torch.bfloat16, torch.float32]


@pytest.mark.parametrize("key", ["final_logit_softcapping", "logit_scale", "router_aux_loss_coef"])
def test_a_layout_that_does_more_has_trls_head(scratch_base: Path, tmp_path: Path, key: str) -> None:
    base = tmp_path / "base"
    shutil.copytree(scratch_base, base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {key: 0.5}))
    assert not rig(stage(), rows(), base, tmp_path).loop.own_head


@pytest.mark.filterwarnings("ignore:.*return_outputs.*:FutureWarning")
def test_who_asks_for_logits_gets_them(scratch_base: Path, tmp_path: Path) -> None:
    loop, inputs = rig(stage(), rows(), scratch_base, tmp_path).loop, batch()
    loop.model.eval()
    loss, logits, labels = loop.prediction_step(loop.model, dict(inputs), prediction_loss_only=False)
    assert logits.shape == (*labels.shape, 1024)
    (alone, *_) = loop.prediction_step(loop.model, dict(inputs), prediction_loss_only=True)
    np.testing.assert_allclose(alone.item(), loss.item(), rtol=0, atol=1e-5)
