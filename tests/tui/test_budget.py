"""What a question takes of the context, before it is sent."""

import pytest

from medlora_edge.errors import UsageError
from medlora_edge.history.records import TaskName
from medlora_edge.tui.session.budget import LEAST_ROOM, LONGEST_ANSWER, Budget, about
from medlora_edge.tui.session.session import Session
from tests.tui.turns import answered, question


def test_answer_has_what_the_prompt_leaves_and_no_more_than_the_longest() -> None:
    assert Budget(100, 4096).answer_room == LONGEST_ANSWER
    assert Budget(3900, 4096).answer_room == 196
    assert Budget(5000, 4096).answer_room < 0


@pytest.mark.parametrize(("used", "fits"), [(0, True), (4096 - LEAST_ROOM, True), (4097 - LEAST_ROOM, False)])
def test_it_fits_as_long_as_an_answer_has_room(used: int, fits: bool) -> None:
    assert Budget(used, 4096).fits is fits


def test_warning_comes_at_four_fifths() -> None:
    assert not Budget(799, 1000).nearly_full
    assert Budget(800, 1000).nearly_full


def test_refusal_names_the_numbers_and_what_to_do() -> None:
    Budget(100, 4096).require_room()
    with pytest.raises(UsageError, match=r"have 4,090 tokens, the context holds 4,096") as refused:
        Budget(4090, 4096).require_room()
    assert "oldest turns" in str(refused.value)


def test_what_is_typed_since_counts_too() -> None:
    assert Budget(790, 1000, typed=about(37)).now == 800
    assert Budget(790, 1000, typed=about(37)).nearly_full
    assert Budget(10, 1000, typed=about(-400)).now == 0
    assert (about(0), about(1), about(8), about(-5)) == (0, 1, 2, -1)


@pytest.mark.parametrize("name", ["ask", "pubmedqa", "multiple_choice"])
def test_budget_is_known_before_anything_is_typed(ready: Session, name: TaskName) -> None:
    empty = ready.budget(name, question(""), [])
    assert empty
    assert 0 < empty.used < 200
    longer = ready.budget(name, question(""), [answered(1)])
    assert longer
    assert (longer.used > empty.used) is (name == "ask")
