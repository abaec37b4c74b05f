"""Blocks to rows: words wrap, code folds where it must, what stands before a line stands before all of its rows."""

from collections.abc import Iterator

from textual.content import Content

from medlora_edge.tui.markdown.rows import Block, CodeLine, Laid, Line, Row, Table
from medlora_edge.tui.markdown.table import ruled

LEAST_WIDTH = 12  # cells: what is narrower still is cut at the edge of the screen


def lay(block: Block, width: int) -> Laid:
    """Wrap a block to `width` cells."""
    match block:
        case Line():
            return Laid(tuple(_wrapped(block, width)), (block.first + block.text.plain,))
        case CodeLine():
            return Laid(tuple(_folded(block, width)), (block.text.plain,))
        case Table():
            return _tabled(block, width)


def _wrapped(block: Line, width: int) -> Iterator[Row]:
    text, position = block.text.plain, 0
    for number, piece in enumerate(block.text.wrap(max(LEAST_WIDTH, width - len(block.first)))):
        position = max(position, text.find(piece.plain, position))
        if number == 0:
            yield Row(Content(block.first) + piece)
        else:
            yield Row(Content(block.rest) + piece, 0, len(block.first) + position, len(block.rest))
        position += len(piece.plain)


def _folded(block: CodeLine, width: int) -> Iterator[Row]:
    position = 0
    for piece in block.text.fold(max(LEAST_WIDTH, width - len(block.bar))):
        yield Row(Content(block.bar) + piece, 0, position, len(block.bar))
        position += len(piece.plain)


def _tabled(block: Table, width: int) -> Laid:
    rows = [Content(block.first) + row for row in ruled(block, max(LEAST_WIDTH, width - len(block.first)))]
    return Laid(tuple(Row(row, line) for line, row in enumerate(rows)), tuple(row.plain.rstrip() for row in rows))
