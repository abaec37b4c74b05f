"""A packed document sees itself only, in every layout [R22, T5]."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from build_tools.bases.loading import load
from build_tools.data.rows import IGNORED, Row, joined
from build_tools.training.batches import BLIND_TO_POSITIONS, collate
from tests.build_tools.conftest import SHAPES
from tests.build_tools.training.conftest import single

LAYOUTS = sorted(SHAPES)


def losses(model: Any, rows: list[Row]) -> torch.Tensor:
    """Loss of every learned token, document after document."""
    batch = collate(rows, apart=model.config.model_type in BLIND_TO_POSITIONS)
    labels = batch.pop("labels")[:, 1:]
    with torch.no_grad():
        logits = model(**batch, use_cache=False).logits[:, :-1]
    each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return each[labels.flatten() != IGNORED]


def documents() -> list[Row]:
    rng = np.random.default_rng(3)
    return [single(name, length, rng) for name, length in (("a", 9), ("b", 14), ("c", 5))]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_packed_document_has_the_loss_it_has_alone(tiny_bases: Callable[[str], Path], layout: str) -> None:
    model = load(tiny_bases(layout), 32).eval()
    a, b, c = documents()
    alone = torch.cat([losses(model, [row]) for row in (a, b, c)])
    torch.testing.assert_close(losses(model, [joined([a, b]), joined([c])]), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_changing_one_document_leaves_the_next_one_alone(tiny_bases: Callable[[str], Path], layout: str) -> None:
    model = load(tiny_bases(layout), 32).eval()
    a, b, _ = documents()
    other = single("other", 9, np.random.default_rng(99))
    before, after = losses(model, [joined([a, b])]), losses(model, [joined([other, b])])
    assert not torch.equal(before[: a.trained], after[: a.trained])
    assert torch.equal(before[a.trained :], after[a.trained :])


def test_padding_has_no_label_and_is_no_document_of_its_own() -> None:
    a, b, c = documents()
    batch = collate([joined([a, b]), c])
    assert batch["input_ids"].shape == (2, 23)
    assert batch["position_ids"][0].tolist() == [*range(9), *range(14)]
    assert batch["position_ids"][1].tolist() == list(range(23))
    assert (batch["labels"][1, 5:] == IGNORED).all()
    assert int((batch["labels"] != IGNORED).sum()) == a.trained + b.trained + c.trained
