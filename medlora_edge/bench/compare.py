"""Two runs over the same items: 2x2 table, exact McNemar test, difference with interval, flipped ids."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from medlora_edge.bench.intervals import mcnemar_exact, paired_difference
from medlora_edge.bench.results import reread
from medlora_edge.bench.schema import Card, Label, Sample
from medlora_edge.errors import UsageError

ALWAYS_YES = "always-yes"  # the answer that is right most often, as a second run

Run = tuple[Card, Mapping[str, Sample]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Flip(_Part):
    """An item that exactly one of the two runs has right."""

    id: str
    gold: Label
    a: Label | None
    b: Label | None


class Comparison(_Part):
    """A against B by strict labels. `difference` = accuracy of A minus that of B, as a fraction."""

    n: int
    both_right: int
    only_a: int
    only_b: int
    both_wrong: int
    accuracy_a: float
    accuracy_b: float
    difference: float
    difference_interval: tuple[float, float]
    mcnemar_p: float
    flipped: tuple[Flip, ...]
    different: dict[str, tuple[str, str]]


def always(label: Label, beside: Run) -> Run:
    """A run over the same items that gives every one this label, without a model."""
    card, samples = beside
    same = {"response": None, "strict_label": label, "lenient_label": label}
    none = {"name": f"always {label}", "sha256": "none", "quantisation": "none", "template_sha256": "none"}
    return (
        card.model_copy(update={"model": card.model.model_copy(update=none)}),
        {id_: sample.model_copy(update=same) for id_, sample in samples.items()},
    )


def compare(a: Run, b: Run) -> Comparison:
    """Join two runs by id. Raises UsageError when their data or their items differ."""
    (card_a, samples_a), (card_b, samples_b) = a, b
    _require_same_items(a, b)
    pairs = list(zip(reread(card_a, samples_a), reread(card_b, samples_b), strict=True))
    right = [(one.strict_label == one.gold, two.strict_label == two.gold) for one, two in pairs]
    both, only_a = right.count((True, True)), right.count((True, False))
    only_b, neither = right.count((False, True)), right.count((False, False))
    n = len(pairs)
    return Comparison(
        n=n,
        both_right=both,
        only_a=only_a,
        only_b=only_b,
        both_wrong=neither,
        accuracy_a=(both + only_a) / n,
        accuracy_b=(both + only_b) / n,
        difference=(only_a - only_b) / n,
        difference_interval=paired_difference(both, only_a, only_b, neither),
        mcnemar_p=mcnemar_exact(only_a, only_b),
        flipped=tuple(
            Flip(id=one.id, gold=one.gold, a=one.strict_label, b=two.strict_label)
            for (one, two), (a_right, b_right) in zip(pairs, right, strict=True)
            if a_right != b_right
        ),
        different=_different(card_a, card_b),
    )


def _require_same_items(a: Run, b: Run) -> None:
    (card_a, samples_a), (card_b, samples_b) = a, b
    fix = "compare runs with the same data, split and limit"
    if card_a.data.sha256 != card_b.data.sha256:
        raise UsageError("the two runs are over different data sets: SHA-256 differs", fix=fix)
    if samples_a.keys() != samples_b.keys():
        only = len(samples_a.keys() ^ samples_b.keys())
        raise UsageError(f"the two runs are over different items: {only:,} are in one of them only", fix=fix)
    if not samples_a:
        raise UsageError("nothing is answered yet in these runs", fix="finish them first")


def _different(a: Card, b: Card) -> dict[str, tuple[str, str]]:
    sides = [_facts(card) for card in (a, b)]
    return {name: (one, sides[1][name]) for name, one in sides[0].items() if one != sides[1][name]}


def _facts(card: Card) -> dict[str, str]:
    settings = {name: str(value) for name, value in card.settings if name not in {"sampling", "parallel"}}
    sampling = card.settings.sampling.model_dump() if card.settings.sampling else {}
    adapter = card.adapter
    return {
        "model": card.model.name,
        "model sha256": card.model.sha256,
        "adapter": adapter.name if adapter else "none",
        "adapter sha256": adapter.sha256 if adapter else "none",
        "quantisation": card.model.quantisation,
        "template": card.model.template_sha256,
        "prompts": card.prompts_sha256,
        "parallel": str(card.resolved.parallel),
        "sampling": " ".join(f"{name}={value}" for name, value in sampling.items()) or "none",
        "llama.cpp": card.software["llama.cpp"],
        **settings,
    }
