"""A passphrase typed twice, and a recovery code read back from paper."""

import pytest

from medlora_edge.errors import UsageError
from medlora_edge.history import keys
from medlora_edge.tui.keeping import passphrase

CODE = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ"


def test_passphrase_is_typed_the_same_twice() -> None:
    assert passphrase.chosen("a b", "a b") == "a b"
    with pytest.raises(UsageError, match="not the same"):
        passphrase.chosen("a b", "a  b")


def test_every_group_of_a_code_is_shown_with_its_number() -> None:
    shown = passphrase.lines(CODE)
    assert len(shown.splitlines()) == 2
    assert "1: 0123" in shown
    assert "8: WXYZ" in shown


@pytest.mark.parametrize(("number", "typed"), [(1, "o I2 3"), (1, "0l23"), (3, "89ab"), (8, " WXYZ ")])
def test_group_is_read_however_it_is_written(number: int, typed: str) -> None:
    assert passphrase.is_group(CODE, number, typed)


@pytest.mark.parametrize("typed", ["", "4567", "0123-4567", CODE])
def test_other_groups_will_not_do(typed: str) -> None:
    assert not passphrase.is_group(CODE, 1, typed)


def test_one_of_the_groups_is_asked_for() -> None:
    assert {passphrase.any_group(keys.new_recovery_code()) for _ in range(500)} == {*range(1, 9)}
