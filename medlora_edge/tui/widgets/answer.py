"""An answer as it grows, read as Markdown; one widget whatever its length, of which only rows in view are drawn."""

from collections.abc import Iterator

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from medlora_edge.tui.markdown import Growing, Page, Row, whole


class Answer(Widget):
    """The text of one answer; `text` is as the model wrote it."""

    DEFAULT_CSS = """
    Answer { height: auto; padding: 0 1; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = ""
        self._growing = Growing()
        self._page = Page(0)
        self.reset(text)

    # --- what is said -------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Go on."""
        self.text += text
        self._growing.feed(text)
        self._draw()

    def reset(self, text: str = "") -> None:
        """It is `text`, and whole."""
        if text == self.text and not self._growing.cut:
            return
        self.text = text
        self._growing = Growing()
        self._growing.settled = whole(text)
        self._page = Page(0)
        self.refresh(layout=True)

    def _draw(self) -> None:
        page, before = self._page, len(self._page.rows)
        changed = page.show(self._growing) if page.width else 0
        if len(page.rows) == before and page.width:
            self.refresh(Region(0, changed, self.outer_size.width, before - changed))
        else:
            self.refresh(layout=True)

    # --- drawing ------------------------------------------------------------------------------------------

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002
        """As wide as there is room."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Rows at that width."""
        if width != self._page.width:
            self._page = Page(width)
            self._page.show(self._growing)
        return len(self._page.rows)

    def render_line(self, y: int) -> Strip:
        """One row of it."""
        style, rows = self.visual_style, self._page.rows
        if y >= len(rows):
            return Strip.blank(self.size.width, style.rich_style)
        row = rows[y]
        strip = Strip(self._segments(row, self._marked(row), style))
        return strip.adjust_cell_length(self.size.width, style.rich_style)

    def _segments(self, row: Row, content: Content, style: Style) -> Iterator[Segment]:
        x = row.start - row.margin
        for text, look in content.render(style, end="", parse_style=self._get_style):
            yield Segment(text, (style + look).rich_style_with_offset(x, row.line))
            x += len(text)

    def _marked(self, row: Row) -> Content:
        """The row, with what is selected of it."""
        selected = self.text_selection.get_span(row.line) if self.text_selection else None
        if selected is None:
            return row.content
        begin, end = selected
        shift = row.margin - row.start
        last = len(row.content) if end == -1 else end + shift
        style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        return row.content.stylize(style, max(row.margin, begin + shift), max(row.margin, last))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected, as it stands on the screen but with its lines whole."""
        begin, end = (Offset(max(0, at.x), at.y) if at else None for at in selection)
        return Selection(begin, end).extract("\n".join(self._page.texts)), "\n"
