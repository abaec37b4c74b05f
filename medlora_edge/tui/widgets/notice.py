"""The lines at the top that no answer can push away: decision support only, and what the model is."""

from textual.app import ComposeResult
from textual.containers import Vertical

from medlora_edge.notice import NOTICE
from medlora_edge.tui.widgets.plain import Plain


class Notice(Vertical):
    """The app's notice; below it the warning of a model that has one."""

    DEFAULT_CSS = """
    Notice {
        height: auto;
        background: $panel;
        Plain { padding: 0 1; text-wrap: wrap; }
        #warning { color: $warning; text-style: bold; }
    }
    """

    def compose(self) -> ComposeResult:
        """Notice and warning."""
        yield Plain(NOTICE, id="notice")
        warning = Plain(id="warning")
        warning.display = False
        yield warning

    def warn(self, warning: str | None) -> None:
        """Say what the model is."""
        line = self.query_one("#warning", Plain)
        line.display = bool(warning)
        line.show(warning or "")
