"""What an answer consists of once it is read: lines and tables; and the rows they become at some width."""

from dataclasses import dataclass

from textual.content import Content


@dataclass(frozen=True)
class Line:
    """One line of text. `first` stands before its first row and is text as well, `rest` before its other rows."""

    text: Content
    first: str = ""
    rest: str = ""


@dataclass(frozen=True)
class CodeLine:
    """One line of code, kept to the character; `bar` stands before its rows and is not copied."""

    text: Content
    bar: str


@dataclass(frozen=True)
class Table:
    """Cells by row, the head's first; `aligns`: "left", "center" or "right" by column; `first` before each row."""

    cells: tuple[tuple[Content, ...], ...]
    aligns: tuple[str, ...]
    first: str = ""


Block = Line | CodeLine | Table


@dataclass(frozen=True)
class Row:
    """A row on the screen. Behind `margin` characters it shows text `line` (of its block) from character `start`."""

    content: Content
    line: int = 0
    start: int = 0
    margin: int = 0


@dataclass(frozen=True)
class Laid:
    """Blocks at one width: rows to draw, and the text they show, as it is copied."""

    rows: tuple[Row, ...]
    texts: tuple[str, ...]
