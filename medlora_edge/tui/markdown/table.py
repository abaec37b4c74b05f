"""A table in as many cells as there are: columns shrink fairly, their words wrap, too narrow ones become a list."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.content import Content

from medlora_edge.tui.markdown.rows import Table

GAP = " \u2502 "
RULE, CROSS = "\u2500", "\u253c"
LEAST_COLUMN = 6  # cells


def ruled(table: Table, width: int) -> list[Content]:
    """Its rows on the screen, at most `width` cells wide."""
    room = width - len(GAP) * (len(table.aligns) - 1)
    if room < LEAST_COLUMN * len(table.aligns):
        return list(_as_list(table))
    natural = [max(cell.cell_length for cell in column) for column in zip(*table.cells, strict=True)]
    return list(_rows(table, fair(natural, room)))


def fair(natural: Sequence[int], room: int) -> list[int]:
    """Widths of columns: as wide as they would be, else the wide ones share what the narrow ones leave."""
    widths = [0] * len(natural)
    left = len(natural)
    for column in sorted(range(len(natural)), key=natural.__getitem__):
        widths[column] = min(natural[column], room // left)
        room -= widths[column]
        left -= 1
    return [max(1, width) for width in widths]


def _rows(table: Table, widths: Sequence[int]) -> Iterator[Content]:
    rule = Content.styled(CROSS.join(RULE * (width + 2) for width in widths)[1:-1], "$quiet")
    tall = any(cell.cell_length > width for row in table.cells for cell, width in zip(row, widths, strict=True))
    for number, row in enumerate(table.cells):
        if number == 1 or (number and tall):
            yield rule
        yield from _row(row, widths, table.aligns)


def _row(row: Sequence[Content], widths: Sequence[int], aligns: Sequence[str]) -> Iterator[Content]:
    wrapped = [cell.wrap(width) for cell, width in zip(row, widths, strict=True)]
    for pieces in zip_longest(*wrapped, fillvalue=Content("")):
        cells = [_placed(*cell) for cell in zip(pieces, widths, aligns, strict=True)]
        yield Content.styled(GAP, "$quiet").join(cells)


def _placed(cell: Content, width: int, align: str) -> Content:
    missing = max(0, width - cell.cell_length)
    before = {"left": 0, "center": missing // 2, "right": missing}[align]
    return cell.pad(before, missing - before)


def _as_list(table: Table) -> Iterator[Content]:
    head, *body = table.cells
    for row in body:
        for name, cell in zip(head, row, strict=True):
            yield Content(": ").join([name, cell])
        yield Content("")
