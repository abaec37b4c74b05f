"""A growing text laid out at one width: settled blocks stay where they are, the end is laid out anew."""

from collections.abc import Iterable

from medlora_edge.tui.markdown.growing import Growing
from medlora_edge.tui.markdown.layout import lay
from medlora_edge.tui.markdown.rows import Block, Row


class Page:
    """`rows` to draw, and the `texts` that are selected in them; a row's `line` counts those."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[Row] = []
        self.texts: list[str] = []
        self._blocks = 0
        self._settled = (0, 0)  # rows and texts

    def show(self, growing: Growing) -> int:
        """Bring it up to what was said; returns the first row that may have changed."""
        rows, texts = self._settled
        del self.rows[rows:], self.texts[texts:]
        self._add(growing.settled[self._blocks :])
        self._blocks, self._settled = len(growing.settled), (len(self.rows), len(self.texts))
        self._add(growing.end)
        return rows

    def _add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            laid = lay(block, self.width)
            above = len(self.texts)
            self.rows += [Row(row.content, row.line + above, row.start, row.margin) for row in laid.rows]
            self.texts += laid.texts
