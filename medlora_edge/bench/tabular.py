"""A report as data: what to read first, then tables of cleaned text; how it is drawn is for the caller to say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Section:
    """A table below its heading, which may be wider than the table."""

    heading: str
    table: "Table"


@dataclass(frozen=True)
class Report:
    """`notices` are what a reader must know before believing a number; `parts` are tables and lines in order.

    Title, notices and lines may hold foreign text: clean them. The tables are clean already.
    """

    title: str
    notices: tuple[str, ...]
    parts: tuple[Section | str, ...]


def percent(fraction: float | None) -> str:
    """A fraction as percent with one decimal."""
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def interval_text(interval: tuple[float, float]) -> str:
    """An interval of fractions as percent."""
    return f"{percent(interval[0])} to {percent(interval[1])}"


def plain_table(*columns: str) -> "Table":
    """A table whose first column is text and whose others are figures."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_header=any(columns))
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", overflow="fold")
    return table


def add_row(table: "Table", *cells: str, style: str | None = None) -> None:
    """Cells as they are: cleaned, never read as markup."""
    from rich.text import Text

    table.add_row(*(Text(clean(cell)) for cell in cells), style=style)
