"""Held-out documents: the same ones every time, and never the twin of one that is trained on."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_tools.data.documents import Exchange, Passage
from build_tools.data.split import split
from medlora_edge.errors import UsageError


def passages(*texts: str) -> list[Passage]:
    return [Passage(f"f:{number}", Path("f"), f"f, line {number}", text) for number, text in enumerate(texts)]


@given(st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=40), st.floats(0.01, 0.5), st.integers(0, 5))
def test_twins_stay_on_one_side_and_both_sides_have_something(texts: list[str], share: float, seed: int) -> None:
    documents = passages(*texts)
    if len(set(texts)) < 2:
        with pytest.raises(UsageError, match="held out"):
            split(documents, share, seed)
        return
    parts = split(documents, share, seed)
    train, held_out = ({document.text for document in side} for side in (parts.train, parts.held_out))  # type: ignore[union-attr]
    assert train and held_out and not train & held_out
    assert sorted([*parts.train, *parts.held_out], key=lambda document: int(document.id[2:])) == documents
    assert len(held_out) <= share * len(set(texts)) + 1
    assert parts.duplicates == len(texts) - len(set(texts))


def test_neither_order_nor_ids_decide() -> None:
    texts = [f"text number {number}" for number in range(100)]
    chosen = [document.asked for document in split(passages(*texts), 0.1, 7).held_out]
    turned = [document.asked for document in split(passages(*reversed(texts)), 0.1, 7).held_out]
    assert len(chosen) == 10
    assert sorted(chosen) == sorted(turned)
    assert chosen != [document.asked for document in split(passages(*texts), 0.1, 8).held_out]


def test_a_group_is_held_out_whole_or_not_at_all() -> None:
    grouped = [
        Exchange(f"f:{number}", Path("f"), "f", f"question {number}", (), "answer", group=f"document {number // 5}")
        for number in range(100)
    ]
    parts = split(grouped, 0.1, 0)
    train, held_out = ({document.group for document in side} for side in (parts.train, parts.held_out))  # type: ignore[union-attr]
    assert (len(train), len(held_out), parts.duplicates) == (18, 2, 0)
    assert not train & held_out


def test_another_case_or_punctuation_makes_no_other_question() -> None:
    parts = split(passages("Does it help?", "does it\u00a0 HELP", "Is it safe?"), 0.3, 0)
    assert {len(parts.train), len(parts.held_out)} == {1, 2}
    assert parts.duplicates == 1
