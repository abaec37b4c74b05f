"""What quantising costs, beside what it costs the base model, and whether the fine-tune is still there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from build_tools.data.rows import Row
from build_tools.gates.report import GateReport, Measure
from build_tools.gguf.difference import Difference, difference, losses
from build_tools.gguf.logits import llama_cpp
from build_tools.gguf.places import Places, answers, everywhere, longest
from build_tools.gguf.quantise import fallback_share
from build_tools.recipe.schema import QuantiseGate

NOISE = 1e-3  # nats a position: what the F16 gate calls equal; no bar is lower
SIZE_OVER_BASE = 1.05  # the same network in the same types; the rest is metadata


@dataclass(frozen=True)
class Pair:
    """One model before and after quantising."""

    f16: Path
    quantised: Path


def quantise_gate(tuned: Pair, base: Pair, rows: Sequence[Row], gate: QuantiseGate) -> GateReport:
    """Measure the quantised fine-tune on the text of held-out rows, and what it retained at their answers.

    The base, quantised alike, says what this quantisation costs this network where nothing was fine-tuned. Raises
    UsageError for rows without tokens, CorruptError for a file that cannot be read or loaded.
    """
    places = everywhere(rows)
    tuned_difference, base_difference = _compared(tuned, places), _compared(base, places)
    return GateReport(
        hop="quantising",
        measures=(
            *_file_measures(tuned.quantised, base.quantised, gate),
            *_loss_measures(tuned_difference, base_difference, gate),
            *_retention_measures(tuned_difference, base_difference, gate),
        ),
    )


def held_out_loss(gguf: Path, rows: Sequence[Row]) -> float:
    """Mean loss in nats over the trained tokens of held-out rows; errors as `quantise_gate`."""
    places = answers(rows)
    with llama_cpp(gguf, longest=longest(places)) as model:
        return float(losses(model, places).mean())


def _compared(pair: Pair, places: Sequence[Places]) -> Difference:
    size = longest(places)
    with llama_cpp(pair.f16, longest=size) as reference, llama_cpp(pair.quantised, longest=size) as model:
        return difference(reference, model, places)


def _file_measures(quantised: Path, base: Path, gate: QuantiseGate) -> tuple[Measure, ...]:
    size = quantised.stat().st_size / base.stat().st_size
    return (
        Measure(name="fallback share", value=fallback_share(quantised), limit=gate.fallback_share, side="at most"),
        Measure(name="size over the base's", value=size, limit=SIZE_OVER_BASE, side="at most"),
    )


def _loss_measures(tuned: Difference, base: Difference, gate: QuantiseGate) -> tuple[Measure, ...]:
    """Limits are the base's own figures times what the recipe allows.

    Where rows have prompts, the base is measured on these alone: an answer in the fine-tune's manner is foreign to it,
    and a model loses much on foreign text, which would make the limits lax.
    """
    base = base.at(~base.trained) if not base.trained.all() else base
    kl = gate.kl_over_base * max(base.mean_kl, NOISE)
    high = gate.kl_over_base * max(base.high_kl, NOISE)
    perplexity = np.expm1(gate.perplexity_over_base * max(_cost(base), NOISE))
    increase = np.expm1(np.mean(tuned.loss - tuned.reference_loss))
    return (
        Measure(name="mean KL (nats)", value=tuned.mean_kl, limit=kl, side="at most"),
        Measure(name="99 % KL (nats)", value=tuned.high_kl, limit=high, side="at most"),
        Measure(name="relative perplexity increase", value=increase, limit=perplexity, side="at most"),
    )


def _cost(base: Difference) -> float:
    """Nats a token by quantising: the upper end of the 95 % interval on the text, and never less than the mean KL.

    The KL is the same cost on text as the model itself would write it, so chance in the text cannot hide it.
    """
    changes = base.loss - base.reference_loss
    return max(base.mean_kl, float(changes.mean() + 1.96 * changes.std() / np.sqrt(changes.size)))


def _retention_measures(tuned: Difference, base: Difference, gate: QuantiseGate) -> tuple[Measure, ...]:
    """Of the answers' positions where fine-tune and base disagree about the likeliest token, how often the quantised
    file follows the fine-tune."""
    learned = tuned.trained & (tuned.reference_top != base.reference_top)
    kept = float(np.mean(tuned.top[learned] == tuned.reference_top[learned])) if learned.any() else 0.0
    return (
        Measure(name="positions that the fine-tune changed", value=int(learned.sum()), limit=1, side="at least"),
        Measure(name="retention of the fine-tune", value=kept, limit=gate.retention, side="at least"),
    )
