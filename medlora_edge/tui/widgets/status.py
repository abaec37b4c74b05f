"""The status line: saved or not, phase with numbers, warning, model; at the right how full the context is."""

from textual.app import ComposeResult
from textual.containers import Horizontal

from medlora_edge.tui.chat.standing import Standing
from medlora_edge.tui.widgets.plain import Plain


class Status(Horizontal):
    """One line."""

    DEFAULT_CSS = """
    Status {
        height: 1;
        padding: 0 1;
        background: $panel;
        #doing { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        #context { width: auto; height: 1; padding-left: 1; }
        #context.full { color: $warning; text-style: bold; }
    }
    """

    def compose(self) -> ComposeResult:
        """Left and right half."""
        yield Plain(id="doing")
        yield Plain(id="context")

    def show(self, at: Standing) -> None:
        """Draw it."""
        self.query_one("#doing", Plain).show(at.left, fixed=True)
        context = self.query_one("#context", Plain)
        context.show(at.right, fixed=len(at.right) == len(str(context.content)))
        context.set_class(bool(at.budget and at.budget.nearly_full), "full")
