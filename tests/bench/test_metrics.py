"""Figures against hand-made tables and against PubMedQA's official formula."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.bench.dataset import read
from medlora_edge.bench.metrics import confusion, measure
from medlora_edge.bench.schema import LABELS, Label
from tests.bench.samples import sample

labels = st.sampled_from(LABELS)


def official_formula(gold: list[Label], predicted: list[Label]) -> tuple[float, float]:
    """Accuracy and macro-F1 as PubMedQA's evaluation script has them from scikit-learn."""
    truth, guess = np.array(gold), np.array(predicted)
    scores = []
    for label in np.union1d(truth, guess):
        hit = np.sum((truth == label) & (guess == label))
        precision = hit / max(1, np.sum(guess == label))
        recall = hit / max(1, np.sum(truth == label))
        scores.append(0.0 if hit == 0 else 2 * precision * recall / (precision + recall))
    return float(np.mean(truth == guess)), float(np.mean(scores))


@pytest.mark.shared_data
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_the_official_formula(shared_data: Path, seed: int) -> None:
    truth = json.loads((shared_data / "pubmedqa" / "test_ground_truth.json").read_text())
    draw = random.Random(seed)
    guesses: list[Label] = [gold if draw.random() < 0.6 else draw.choice(LABELS) for gold in truth.values()]
    metrics = measure([sample(id_, gold, guess) for (id_, gold), guess in zip(truth.items(), guesses, strict=True)])
    accuracy, macro_f1 = official_formula(list(truth.values()), guesses)
    assert metrics.accuracy == pytest.approx(accuracy, abs=1e-12)
    assert metrics.macro_f1 == pytest.approx(macro_f1, abs=1e-12)
    assert metrics.majority_rate == 0.552


@pytest.mark.shared_data
def test_the_single_human_of_the_paper(shared_data: Path) -> None:
    import gzip

    path = shared_data / "pubmedqa" / "ori_pqal.json.gz"
    records = json.loads(gzip.decompress(path.read_bytes()))
    test = json.loads((shared_data / "pubmedqa" / "test_ground_truth.json").read_text())
    gold = {item.question.id: item.gold for item in read(path).items}
    metrics = measure([sample(id_, gold[id_], records[id_]["reasoning_required_pred"]) for id_ in test])
    assert round(100 * metrics.accuracy, 1) == 78.0
    assert round(100 * metrics.macro_f1, 1) == 72.2


@given(st.lists(st.tuples(labels, labels), min_size=1))
def test_equal_to_the_official_formula_when_all_labels_occur(pairs: list[tuple[Label, Label]]) -> None:
    pairs = [*pairs, *((label, label) for label in LABELS)]
    metrics = measure([sample(str(n), gold, guess) for n, (gold, guess) in enumerate(pairs)])
    expected = official_formula([gold for gold, _ in pairs], [guess for _, guess in pairs])
    assert (metrics.accuracy, metrics.macro_f1) == pytest.approx(expected)


def test_invalid_is_wrong_a_miss_and_nobodys_false_positive() -> None:
    metrics = measure(
        [
            sample("1", "yes", "yes"),
            sample("2", "yes", None, "yes"),
            sample("3", "no", "no"),
            sample("4", "maybe", "no"),
        ]
    )
    assert metrics.accuracy == 0.5
    assert metrics.accuracy_valid == pytest.approx(2 / 3)
    assert metrics.strict_valid_rate == 0.75
    assert metrics.lenient_valid_rate == 1.0
    assert metrics.lenient_accuracy == 0.75
    yes, no, maybe = (metrics.per_class[label] for label in LABELS)
    assert (yes.precision, yes.recall, yes.f1) == pytest.approx((1.0, 0.5, 2 / 3))
    assert (no.precision, no.recall, no.f1) == pytest.approx((0.5, 1.0, 2 / 3))
    assert (maybe.precision, maybe.recall, maybe.f1) == (0.0, 0.0, 0.0)
    assert metrics.macro_f1 == pytest.approx(4 / 9)
    assert metrics.confusion["yes"] == {"yes": 1, "no": 0, "maybe": 0, "invalid": 1}


def test_nothing_valid() -> None:
    metrics = measure([sample("1", "yes", None)])
    assert (metrics.accuracy, metrics.accuracy_valid, metrics.macro_f1) == (0.0, None, 0.0)
    assert metrics.intervals["accuracy_valid"] == (0.0, 1.0)


@given(st.lists(st.tuples(labels, st.none() | labels), min_size=1))
def test_confusion_holds_every_item_once(pairs: list[tuple[Label, Label | None]]) -> None:
    table = confusion([gold for gold, _ in pairs], [guess for _, guess in pairs])
    assert sum(sum(row.values()) for row in table.values()) == len(pairs)
