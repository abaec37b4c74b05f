"""A comparison of two runs as tables."""

from medlora_edge.bench.compare import Comparison
from medlora_edge.bench.tabular import Report, Section, add_row, interval_text, percent, plain_table


def report_comparison(comparison: Comparison) -> Report:
    """A against B."""
    c = comparison
    difference = f"A - B: {100 * c.difference:+.1f} points, 95 % interval {interval_text(c.difference_interval)}"
    return Report(
        title=f"A against B over the same {c.n:,} items",
        notices=(),
        parts=(
            _right_and_wrong(c),
            f"accuracy: A {percent(c.accuracy_a)} %, B {percent(c.accuracy_b)} %",
            f"{difference} (Newcombe 1998, method 10)",
            f"exact McNemar test, two-sided: p = {c.mcnemar_p:.4g}",
            *((_differences(c),) if c.different else ()),
            *((_flips(c),) if c.flipped else ()),
        ),
    )


def _right_and_wrong(comparison: Comparison) -> Section:
    table = plain_table("", "B right", "B wrong")
    add_row(table, "A right", str(comparison.both_right), str(comparison.only_a))
    add_row(table, "A wrong", str(comparison.only_b), str(comparison.both_wrong))
    return Section(f"Right and wrong (strict), n = {comparison.n:,}", table)


def _differences(comparison: Comparison) -> Section:
    table = plain_table("", "A", "B")
    for name, values in comparison.different.items():
        add_row(table, name, *values)
    return Section("What differs", table)


def _flips(comparison: Comparison) -> Section:
    table = plain_table("id", "true", "A", "B")
    for flip in comparison.flipped:
        add_row(table, flip.id, flip.gold, flip.a or "invalid", flip.b or "invalid")
    return Section("Flipped items", table)
