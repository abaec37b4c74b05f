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


def grouped(*pairs: tuple[str, str]) -> list[Exchange]:
    """One exchange for each question and group."""
    return [
        Exchange(f"f:{number}", Path("f"), "f", asked, (), "answer", group=group)
        for number, (asked, group) in enumerate(pairs)
    ]


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
    documents = grouped(*((f"question {number}", f"document {number // 5}") for number in range(100)))
    parts = split(documents, 0.1, 0)
    train, held_out = ({document.group for document in side} for side in (parts.train, parts.held_out))  # type: ignore[union-attr]
    assert (len(train), len(held_out), parts.duplicates) == (18, 2, 0)
    assert not train & held_out


GENERIC = [(asked, f"g{number}") for number in range(99) for asked in ("What is shown?", f"question {number}")]
OTHERS = [(f"other {number}", f"h{number}") for number in range(10)]


@pytest.mark.parametrize("seed", range(20))
def test_groups_that_one_question_joins_do_not_carry_the_share_away(seed: int) -> None:
    parts = split(grouped(*GENERIC, *OTHERS), 0.05, seed)  # 110 questions, 100 of them hang together
    assert len(parts.held_out) == 6
    assert {document.asked for document in parts.held_out} <= {asked for asked, _ in OTHERS}


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_is_held_out_where_none_fits(seed: int) -> None:
    pairs = [(f"question {number}", "large" if number < 7 else "small") for number in range(10)]
    assert {document.asked for document in split(grouped(*pairs), 0.1, seed).held_out} == {
        "question 7",
        "question 8",
        "question 9",
    }


def test_questions_that_all_hang_together_are_refused_in_words() -> None:
    with pytest.raises(UsageError, match="hang together through `group` or equal questions") as caught:
        split(grouped(*GENERIC), 0.1, 0)
    assert caught.value.fix == "name a finer group"


def test_another_case_or_punctuation_makes_no_other_question() -> None:
    parts = split(passages("Does it help?", "does it\u00a0 HELP", "Is it safe?"), 0.3, 0)
    assert {len(parts.train), len(parts.held_out)} == {1, 2}
    assert parts.duplicates == 1
