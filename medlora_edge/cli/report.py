"""Prints what a bench has to say: one run, two runs compared, the list of runs."""

from typing import TYPE_CHECKING

from medlora_edge.bench.runs import Listed, listed
from medlora_edge.bench.tabular import Report, Section, add_row, percent, plain_table
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from rich.console import Console


def print_report(report: Report, console: "Console") -> None:
    """`console` must not read markup, since names are foreign text."""
    console.print(clean(report.title))
    for notice in report.notices:
        console.print(f"!! {clean(notice)}", style="bold red")
    for part in report.parts:
        if isinstance(part, str):
            console.print(clean(part), soft_wrap=True)
        else:
            _print_section(part, console)


def print_runs(console: "Console") -> None:
    """The runs of the default place; one that cannot be read is named with its reason."""
    table = plain_table("name", "done", "accuracy, %", "started")
    table.columns[0].no_wrap = True  # a name must be copied whole
    for run in listed():
        add_row(table, *_cells(run))
    if table.row_count:
        _print_section(Section("Runs", table), console)
    else:
        console.print("no runs yet; `medlora-edge bench pubmedqa` makes one")


def _cells(run: Listed) -> tuple[str, ...]:
    if run.problem:
        return run.name, run.problem.what
    accuracy = "unfinished" if run.accuracy is None else percent(run.accuracy)
    return run.name, f"{run.done:,}/{run.total:,}", accuracy, run.started


def _print_section(section: Section, console: "Console") -> None:
    console.print(section.heading, style="bold")
    console.print(section.table)
