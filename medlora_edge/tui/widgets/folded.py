"""A long text of which the beginning is enough at first: its last row says how much more there is, and by which key."""

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from medlora_edge.tui.widgets.plain import Plain

ROWS = 4  # of a folded text, and below them what is said of the others


class Folded(Plain):
    """Folded at first where that hides more than one row."""

    DEFAULT_CSS = """
    Folded { padding: 0 1; color: $quiet; }
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.display = bool(text)
        self._open = False
        self._rows = 0

    def toggle(self) -> bool:
        """Unfold it, or fold it again; False where there is nothing to hide."""
        if self._rows <= ROWS + 1:
            return False
        self._open = not self._open
        self.refresh(layout=True)
        return True

    @property
    def _hidden(self) -> int:
        return 0 if self._open or self._rows <= ROWS + 1 else self._rows - ROWS

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Rows in view."""
        self._rows = super().get_content_height(container, viewport, width)
        return ROWS + 1 if self._hidden else self._rows

    def render_line(self, y: int) -> Strip:
        """A row of the text; the last one of a folded text tells of the others."""
        if y < ROWS or not self._hidden:
            return super().render_line(y)
        style = self.visual_style.rich_style
        words = Segment(f"\u2026 {self._hidden} more rows, Ctrl+O", style)
        return Strip([words]).adjust_cell_length(self.size.width, style)
