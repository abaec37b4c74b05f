"""Figures: what is compared with a bar, when it counts as met, how rounds are taken."""

import itertools

import pytest

from benchmarks import quiet
from benchmarks.decode_many import Look, Stretch, full_width
from benchmarks.figure import Figure, Sense, amount, count, ratio
from benchmarks.quiet import Rounds, in_turn
from medlora_edge.errors import EngineError


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "PATIENCE_SECONDS", 0.0)


def test_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    rounds = Rounds([90.0, 50.0, 10.0], [100.0, 100.0, 10.0], others=0.01)
    figure = ratio("decode", "tokens/s", rounds, float, bar=0.9)
    assert figure.value == 0.9
    assert figure.met is True
    assert (figure.ours, figure.beside, figure.others) == ((90.0, 50.0, 10.0), (100.0, 100.0, 10.0), 0.01)


@pytest.mark.parametrize(
    ("value", "sense", "met"),
    [
        (0.899, Sense.AT_LEAST, False),
        (0.9, Sense.AT_LEAST, True),
        (0.9, Sense.AT_MOST, True),
        (0.901, Sense.AT_MOST, False),
        (0.9, Sense.EQUAL, True),
        (0.901, Sense.EQUAL, False),
        (None, Sense.AT_LEAST, None),
    ],
)
def test_bar(value: float | None, sense: Sense, met: bool | None) -> None:
    assert Figure("x", "s", value, 0.9, sense).met is met


def test_without_a_bar_nothing_is_judged() -> None:
    assert amount("load", "s", [3.0, 1.0, 2.0]).met is None
    assert amount("load", "s", [3.0, 1.0, 2.0]).value == 2.0


def test_count_must_come_out_exactly() -> None:
    assert count("tokens", "tokens", 7, 7).met is True
    assert count("tokens", "tokens", 8, 7).met is False


@pytest.mark.usefixtures("impatient")
def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    calls = itertools.count()
    rounds = in_turn(2, lambda: next(calls), lambda done: (done, next(calls)))
    assert rounds.ours == [2, 4]
    assert rounds.beside == [(2, 3), (4, 5)]
    assert 0 <= rounds.others <= 1


def test_disturbed_round_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.5, 0.0, 0.5, 0.0])  # the warm-up counts for nothing, so it is not repeated
    monkeypatch.setattr(quiet, "wait_for_quiet", lambda until: None)
    monkeypatch.setattr(quiet, "_others_share", lambda before: next(shares))
    calls = itertools.count()
    rounds = in_turn(2, lambda: next(calls), lambda done: done)
    assert rounds.ours == rounds.beside == [1, 3]
    assert rounds.others == 0.0


def test_full_width_leaves_out_prefill_and_the_end() -> None:
    looks = [
        Look(0.0, steps=0, generated=0),
        Look(1.0, steps=8, generated=6),  # prefill chunks among them
        Look(2.0, steps=12, generated=22),  # four steps of four sequences
        Look(3.0, steps=20, generated=54),
        Look(4.0, steps=24, generated=60),  # some have ended
        Look(5.0, steps=24, generated=60),
    ]
    assert full_width(looks, width=4) == Stretch(before=1.5, steps=12, rate=24.0)


def test_full_width_that_was_never_reached_is_an_error() -> None:
    with pytest.raises(EngineError, match="never decoded 4 sequences"):
        full_width([Look(0.0, 0, 0), Look(1.0, 5, 10)], width=4)
