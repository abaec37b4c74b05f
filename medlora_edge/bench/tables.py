"""Terminal tables over more than one run: a comparison, and the list of runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from medlora_edge.bench import journal, runfolder
from medlora_edge.bench.compare import Comparison
from medlora_edge.bench.report import interval_text, percent, plain_table, print_table
from medlora_edge.errors import CorruptError
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show_comparison(comparison: Comparison, console: "Console") -> None:
    """Print A against B; `console` must not read markup."""
    c = comparison
    table = plain_table(f"Right and wrong (strict), n = {c.n:,}", "", "B right", "B wrong")
    table.add_row("A right", str(c.both_right), str(c.only_a))
    table.add_row("A wrong", str(c.only_b), str(c.both_wrong))
    print_table(table, console)
    console.print(f"accuracy: A {percent(c.accuracy_a)} %, B {percent(c.accuracy_b)} %")
    difference = f"A - B: {100 * c.difference:+.1f} points, 95 % interval {interval_text(c.difference_interval)}"
    console.print(f"{difference} (Newcombe 1998, method 10)")
    console.print(f"exact McNemar test, two-sided: p = {c.mcnemar_p:.4g}")
    if c.different:
        print_table(_differences(c), console)
    if c.flipped:
        print_table(_flips(c), console)


def show_runs(console: "Console") -> None:
    """Print the runs of the default place; one that cannot be read is named with its reason."""
    table = plain_table("Runs", "name", "done", "accuracy, %", "started")
    table.columns[0].no_wrap = True  # a name must be copied whole
    for folder in runfolder.all_runs():
        table.add_row(*(clean(cell) for cell in _run_row(folder)))
    if table.row_count:
        print_table(table, console)
    else:
        console.print("no runs yet; `medlora-edge bench pubmedqa` makes one")


def _run_row(folder: Path) -> tuple[str, ...]:
    try:
        card, results = runfolder.read_card(folder), runfolder.read_results(folder)
        path = folder / journal.NAME
        done = len(journal.read(path)) if path.exists() else 0
    except CorruptError as error:
        return folder.name, error.what
    if card is None:
        return (folder.name,)
    accuracy = percent(results.metrics.accuracy) if results and results.finished else "unfinished"
    return folder.name, f"{done:,}/{card.data.n_items:,}", accuracy, card.started[:16].replace("T", " ")


def _differences(comparison: Comparison) -> "Table":
    table = plain_table("What differs", "", "A", "B")
    for name, values in comparison.different.items():
        table.add_row(name, *(clean(value) for value in values))
    return table


def _flips(comparison: Comparison) -> "Table":
    table = plain_table("Flipped items", "id", "true", "A", "B")
    for flip in comparison.flipped:
        table.add_row(flip.id, flip.gold, flip.a or "invalid", flip.b or "invalid")
    return table
