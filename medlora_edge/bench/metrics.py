"""The figures of a run: accuracy, macro-F1, valid response rates, per-class table, confusion matrix."""

from collections import Counter
from collections.abc import Sequence

from medlora_edge.bench.intervals import wilson
from medlora_edge.bench.schema import LABELS, ClassRow, Label, Metrics, Sample

INVALID = "invalid"

Confusion = dict[Label, dict[str, int]]


def measure(samples: Sequence[Sample]) -> Metrics:
    """All figures of one run. An item without a label counts as wrong. `samples` must not be empty."""
    gold = [sample.gold for sample in samples]
    strict = [sample.strict_label for sample in samples]
    lenient = [sample.lenient_label for sample in samples]
    n, table = len(samples), confusion(gold, strict)
    counts = {
        "accuracy": (_hits(gold, strict), n),
        "accuracy_valid": (_hits(gold, strict), _valid(strict)),
        "strict_valid_rate": (_valid(strict), n),
        "lenient_valid_rate": (_valid(lenient), n),
        "lenient_accuracy": (_hits(gold, lenient), n),
        "lenient_accuracy_valid": (_hits(gold, lenient), _valid(lenient)),
    }
    rates = {name: hits / of if of else None for name, (hits, of) in counts.items()}
    return Metrics(
        n=n,
        **rates,
        macro_f1=macro_f1(table),
        lenient_macro_f1=macro_f1(confusion(gold, lenient)),
        majority_rate=max(Counter(gold).values()) / n,
        intervals={name: wilson(hits, of) for name, (hits, of) in counts.items()},
        per_class={label: class_row(table, label) for label in LABELS},
        confusion=table,
        flags=Counter(flag for sample in samples for flag in sample.flags),
    )


def confusion(gold: Sequence[Label], predicted: Sequence[Label | None]) -> Confusion:
    """Counts by true label, then by predicted label or `invalid`."""
    table: Confusion = {label: dict.fromkeys((*LABELS, INVALID), 0) for label in LABELS}
    for truth, guess in zip(gold, predicted, strict=True):
        table[truth][guess or INVALID] += 1
    return table


def macro_f1(table: Confusion) -> float:
    """Mean F1 of the three labels; 0/0 counts as 0.

    An invalid prediction is a miss for its true label and nobody's false positive.
    """
    return sum(class_row(table, label).f1 for label in LABELS) / len(LABELS)


def class_row(table: Confusion, label: Label) -> ClassRow:
    """Precision, recall and F1 of one label."""
    right = table[label][label]
    support = sum(table[label].values())
    predicted = sum(row[label] for row in table.values())
    return ClassRow(
        support=support,
        predicted=predicted,
        precision=right / predicted if predicted else 0.0,
        precision_interval=wilson(right, predicted),
        recall=right / support if support else 0.0,
        recall_interval=wilson(right, support),
        f1=2 * right / (support + predicted) if support + predicted else 0.0,
    )


def _hits(gold: Sequence[Label], predicted: Sequence[Label | None]) -> int:
    return sum(truth == guess for truth, guess in zip(gold, predicted, strict=True))


def _valid(predicted: Sequence[Label | None]) -> int:
    return sum(guess is not None for guess in predicted)
