"""From label scores to probabilities."""

from collections.abc import Mapping
from math import exp

NEAR_TIE_NATS = 0.1  # between the two likeliest labels: with less, rounding may decide which of them leads


def probabilities(logprobs: Mapping[str, float]) -> dict[str, float]:
    """The labels' share of what they have together: p(l) = exp(s_l) / sum over k of exp(s_k), scores s in nats."""
    best = max(logprobs.values())
    weights = {label: exp(value - best) for label, value in logprobs.items()}
    total = sum(weights.values())
    return {label: weight / total for label, weight in weights.items()}
