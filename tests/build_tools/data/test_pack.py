"""Packing loses nothing, cuts nothing and wastes little. That no document sees another: tests of training/batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_tools.data.pack import pack
from build_tools.data.rows import IGNORED, Row, document

CAPACITY = 64


def of_lengths(lengths: list[int]) -> list[Row]:
    return [document(str(number), range(length), range(length)) for number, length in enumerate(lengths)]


@given(st.lists(st.integers(1, CAPACITY), max_size=60))
def test_every_document_comes_through_whole_in_rows_that_fit(lengths: list[int]) -> None:
    rows = pack(of_lengths(lengths), CAPACITY)
    found = {id_: length for row in rows for id_, length in zip(row.ids, row.seq_lengths, strict=True)}
    assert found == {str(number): length for number, length in enumerate(lengths)}
    assert sum(len(row.ids) for row in rows) == len(lengths)
    for row in rows:
        assert len(row.input_ids) == len(row.labels) == sum(row.seq_lengths) <= CAPACITY
        assert row.input_ids.tolist() == [token for length in row.seq_lengths for token in range(length)]


@given(st.lists(st.integers(1, CAPACITY), min_size=1, max_size=60))
def test_no_two_rows_could_be_one_and_few_are_needed(lengths: list[int]) -> None:
    sizes = sorted(len(row.input_ids) for row in pack(of_lengths(lengths), CAPACITY))
    assert len(sizes) < 2 or sizes[0] + sizes[1] > CAPACITY
    halves = sum(2 * length > CAPACITY for length in lengths)
    thirds = sum(3 * length > CAPACITY for length in lengths) - halves
    # No row holds two of over a half, or three of over a third: no packing at all needs fewer rows than this.
    least = max(-(-sum(lengths) // CAPACITY), halves + -(-max(0, thirds - halves) // 2))
    assert len(sizes) <= 11 / 9 * least + 4


def test_a_document_goes_where_it_leaves_the_least_room() -> None:
    rows = pack(of_lengths([4, 10, 6, 5, 7]), 12)
    assert [row.ids for row in rows] == [("0", "2"), ("1",), ("3", "4")]


def test_packing_is_deterministic_and_keeps_the_first_documents_first() -> None:
    lengths = [int(length) for length in np.random.default_rng(0).integers(1, CAPACITY, 200)]
    first, second = (pack(of_lengths(lengths), CAPACITY) for _ in range(2))
    assert [row.ids for row in first] == [row.ids for row in second]
    leading = [int(row.ids[0]) for row in first]
    assert leading == sorted(leading)


def test_a_document_longer_than_a_row_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="65 tokens"):
        pack(of_lengths([65]), 64)


def test_the_first_token_of_a_document_is_never_learned() -> None:
    row = pack(of_lengths([3, 2]), 8)[0]
    assert row.labels.tolist() == [IGNORED, 1, 2, IGNORED, 1]
