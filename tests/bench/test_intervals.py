"""Intervals and tests against scipy, and against published vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medlora_edge.bench.intervals import mcnemar_exact, paired_difference, wilson

counts = st.integers(0, 400)


@given(n=st.integers(1, 1500), share=st.floats(0, 1))
def test_wilson_equals_scipy(n: int, share: float) -> None:
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_wilson_of_the_single_human_on_pubmedqa() -> None:
    assert wilson(390, 500) == pytest.approx((0.742, 0.814), abs=5e-4)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(only_a=counts, only_b=counts)
def test_mcnemar_equals_scipy(only_a: int, only_b: int) -> None:
    if only_a + only_b == 0:
        assert mcnemar_exact(0, 0) == 1.0
        return
    expected = stats.binomtest(only_a, only_a + only_b, 0.5).pvalue
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize(
    ("table", "expected"),
    [((36, 12, 2, 0), (0.0569, 0.3404)), ((54, 0, 0, 0), (-0.0664, 0.0664))],
    ids=["Newcombe 1998, table II", "all right in both"],
)
def test_paired_difference_equals_the_paper(table: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    assert paired_difference(*table) == pytest.approx(expected, abs=5e-5)


@given(both=counts, only_a=counts, only_b=counts, neither=counts)
def test_paired_difference_holds_the_difference_and_mirrors(both: int, only_a: int, only_b: int, neither: int) -> None:
    low, high = paired_difference(both, only_a, only_b, neither)
    n = both + only_a + only_b + neither
    difference = (only_a - only_b) / n if n else 0.0
    assert -1 <= low <= difference <= high <= 1
    assert paired_difference(both, only_b, only_a, neither) == pytest.approx((-high, -low))
