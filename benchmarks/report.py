"""What a run of measurements leaves: a table for the reader, one JSON document for everybody else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, Sense
from benchmarks.quiet import QUIET

RESULTS = Path(__file__).parent / "results"
SIGNS = {Sense.AT_LEAST: ">=", Sense.AT_MOST: "<=", Sense.EQUAL: "="}
NUMBERS = {"ours", "beside", "value", "bar"}
VERDICTS = {True: "met", False: "MISSED", None: "-"}


def show(name: str, figures: Sequence[Figure]) -> None:
    """Print one measurement: both sides in their unit, the value, its bar; the notes below."""
    table = Table(title=name, title_justify="left", box=box.SIMPLE)
    for column in ("figure", "ours", "beside", "unit", "value", "bar", ""):
        table.add_column(column, justify="right" if column in NUMBERS else "left")
    for figure in figures:
        bar = "-" if figure.bar is None else f"{SIGNS[figure.sense]} {_number(figure.bar)}"
        sides = (_middle(figure.ours), _middle(figure.beside), figure.unit)
        table.add_row(figure.name, *sides, _number(figure.value), bar, VERDICTS[figure.met])
    console = Console(markup=False, highlight=False)
    console.print(table)
    for figure in figures:
        for note in _notes(figure):
            console.print(f"  {figure.name}: {note}")


def document(
    card: Mapping[str, object], figures: Mapping[str, Sequence[Figure]], failures: Mapping[str, str]
) -> dict[str, object]:
    """Everything of one run: `card` says where and how, `failures` why a measurement is missing."""
    return {
        "schema_version": 1,
        **card,
        "figures": [
            {"measurement": name, **asdict(figure), "met": figure.met}
            for name, some in figures.items()
            for figure in some
        ],
        "failures": dict(failures),
    }


def write(content: Mapping[str, object], date: str) -> Path:
    """Write the document into `results/`, named after the time; return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{date.replace(':', '')}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _notes(figure: Figure) -> Iterator[str]:
    if figure.others > QUIET:
        yield f"DISTURBED, others took {figure.others:.0%} of the processor"
    if figure.note:
        yield figure.note


def _middle(side: Sequence[float]) -> str:
    return _number(median(side)) if side else "-"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"
