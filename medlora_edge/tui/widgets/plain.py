"""Text shown as it is: cleaned, never read as markup, its links dead."""

from textual.content import Content
from textual.widgets import Static

from medlora_edge.privacy import clean


def plain(text: str, style: str = "") -> Content:
    """Foreign text that may be shown."""
    return Content.styled(clean(text), style) if style else Content(clean(text))


class Plain(Static):
    """Shows foreign text."""

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(plain(text), markup=False, id=id, classes=classes)
        self._shown = (text, "")

    def show(self, text: str, style: str = "", *, fixed: bool = False) -> None:
        """Show another text; nothing around it is laid out again where its size is `fixed`."""
        if (text, style) != self._shown:
            self._shown = (text, style)
            self.update(plain(text, style), layout=not fixed)
