"""Splits and limits."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.bench import dataset, library
from medlora_edge.bench.dataset import Dataset, Item
from medlora_edge.bench.kinds import Origin, Split
from medlora_edge.bench.schema import LABELS, Label
from medlora_edge.bench.selection import default_split, take_limit, take_split
from medlora_edge.errors import UsageError
from medlora_edge.tasks import Question


def items_of(labels: list[Label]) -> list[Item]:
    return [Item(Question(f"id-{n}", "?", ("c",)), label) for n, label in enumerate(labels)]


def ids(items: Iterable[Item]) -> set[str]:
    return {item.question.id for item in items}


@pytest.mark.shared_data
def test_official_splits(shared_data: Path) -> None:
    data = dataset.read(shared_data / "pubmedqa" / "ori_pqal.json.gz")
    test, train, every = (take_split(data, split) for split in (Split.TEST, Split.TRAIN, Split.ALL))
    assert tuple(item.question.id for item in test) == library.official_test_ids()
    assert len(train) == 500
    assert ids(test) | ids(train) == ids(data.items)
    assert every == data.items
    assert Counter(item.gold for item in test) == {"yes": 276, "no": 169, "maybe": 55}
    assert default_split(data) is Split.TEST


@pytest.mark.parametrize("split", Split)
def test_on_the_sample_every_split_means_all(split: Split) -> None:
    shipped = library.sample()
    assert take_split(shipped, split) == shipped.items
    assert default_split(shipped) is Split.TEST


def test_own_data_has_no_official_split() -> None:
    own = Dataset(Origin.OWN, "0" * 64, tuple(items_of(["yes", "no"])))
    assert default_split(own) is Split.ALL
    assert take_split(own, Split.ALL) == own.items
    with pytest.raises(UsageError, match="500 official test items"):
        take_split(own, Split.TEST)


@given(st.lists(st.sampled_from(LABELS), min_size=1, max_size=120), st.data())
def test_a_smaller_limit_lies_inside_a_larger_one(labels: list[Label], data: st.DataObject) -> None:
    items = items_of(labels)
    large = data.draw(st.integers(1, len(items)))
    small = data.draw(st.integers(1, large))
    inner, outer = take_limit(items, small), take_limit(items, large)
    assert (len(inner), len(outer)) == (small, large)
    assert ids(inner) <= ids(outer)
    assert list(outer) == [item for item in items if item in outer]


@given(st.lists(st.sampled_from(LABELS), min_size=1, max_size=200), st.data())
def test_labels_keep_their_proportions(labels: list[Label], data: st.DataObject) -> None:
    limit = data.draw(st.integers(1, len(labels)))
    chosen = Counter(item.gold for item in take_limit(items_of(labels), limit))
    for label, count in Counter(labels).items():
        assert abs(chosen[label] - count * limit / len(labels)) <= 1.5


def test_the_choice_depends_on_ids_only() -> None:
    items = [*items_of(["yes", "no", "yes", "maybe"] * 10)]
    assert ids(take_limit(items, 10)) == ids(take_limit(items[::-1], 10))


def test_no_limit_and_a_large_limit_take_all() -> None:
    items = tuple(items_of(["yes", "no"]))
    assert take_limit(items, None) == take_limit(items, 2) == take_limit(items, 99) == items
