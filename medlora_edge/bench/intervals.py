"""Intervals and tests for proportions: Wilson, exact McNemar, Newcombe's paired difference."""

from math import comb, sqrt
from typing import NamedTuple

Z95 = 1.959964


class Interval(NamedTuple):
    """A 95 % interval, as fractions."""

    low: float
    high: float


def wilson(hits: int, n: int) -> Interval:
    """Score interval of `hits` out of `n` (Wilson 1927); 0 to 1 where `n` is 0."""
    if n == 0:
        return Interval(0.0, 1.0)
    p, z2 = hits / n, Z95 * Z95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == n else min(1.0, centre + half)
    return Interval(low, high)


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided p value of the exact McNemar test: a fair coin over the discordant pairs.

    `only_a` items are right in A alone, `only_b` in B alone. Twice the smaller binomial tail, at most 1.
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    tail = sum(comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def paired_difference(both: int, only_a: int, only_b: int, neither: int) -> Interval:
    """Interval of p(A) - p(B) over the same items (Newcombe 1998, Stat Med 17:2635, method 10).

    Combines the two Wilson intervals through the correlation of the pairs, corrected for continuity.
    """
    n = both + only_a + only_b + neither
    if n == 0:
        return Interval(-1.0, 1.0)
    right_a, right_b = both + only_a, both + only_b
    p1, p2 = right_a / n, right_b / n
    (low1, high1), (low2, high2) = wilson(right_a, n), wilson(right_b, n)
    phi = _correlation(both, only_a, only_b, neither)
    difference = (only_a - only_b) / n
    below = _combine(p1 - low1, high2 - p2, phi)
    above = _combine(high1 - p1, p2 - low2, phi)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only_a * only_b
    n = both + only_a + only_b + neither
    corrected = max(product - n / 2, 0.0) if product > 0 else float(product)
    return corrected / sqrt(margins)


def _combine(x: float, y: float, phi: float) -> float:
    return sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))
