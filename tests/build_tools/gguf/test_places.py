"""Which positions are compared: as many as asked, spread out, and no more text than can be computed."""

import numpy as np
import pytest

from build_tools.data.rows import Row, document
from build_tools.gguf.places import MAX_TOKENS, TOKENS_A_POSITION, answers, evenly, everywhere


def row(length: int, learned: int) -> Row:
    ids = list(range(length))
    return document("x", ids, [-100] * (length - learned) + ids[length - learned :])


def test_evenly_gives_the_count_asked_for_and_each_position_once() -> None:
    places = evenly([row(length, 2) for length in (2, 30, 7, 100, 61)], 50)
    assert sum(len(place.positions) for place in places) == 50
    assert all(np.all(np.diff(place.positions) > 0) for place in places)
    assert all(place.targets == [position + 1 for position in place.positions] for place in places)


@pytest.mark.parametrize("count", [1, 3, 5, 400, 5000])
def test_only_so_much_text_is_computed(count: int) -> None:
    rows = [row(100, 2) for _ in range(count)]
    assert sum(len(place.ids) for place in evenly(rows, 200)) <= max(400, 200 * TOKENS_A_POSITION)
    assert sum(len(place.ids) for place in everywhere(rows)) <= MAX_TOKENS
    assert len(everywhere(rows)) == min(count, MAX_TOKENS // 100)


def test_answers_are_the_positions_before_trained_tokens() -> None:
    (place,) = answers([row(10, 3)])
    assert (place.positions, place.targets) == ([6, 7, 8], [7, 8, 9])
    (whole,) = everywhere([row(10, 3)])
    assert whole.trained == [False] * 6 + [True] * 3
