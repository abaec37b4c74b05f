"""A report in the terminal: title, what to know before believing it, tables."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from medlora_edge.bench.tabular import Report, Section
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.widgets.card import Card
from medlora_edge.tui.widgets.plain import Plain


class ReportView(VerticalScroll):
    """Empty until a report is shown."""

    HELP = "The report"
    DEFAULT_CSS = """
    ReportView {
        scrollbar-size-vertical: 1;
        .title { text-style: bold; margin-bottom: 1; }
        .heading { text-style: bold; color: $primary; }
        .title, .heading, .part { padding-left: 1; }
        Static { height: auto; }
    }
    """

    def show(self, report: Report) -> None:
        """Show another report, from its beginning."""
        self.remove_children()
        self.mount_all(parts(report))
        self.scroll_home(animate=False)


def parts(report: Report) -> ComposeResult:
    """From top to bottom."""
    yield Plain(report.title, classes="title")
    for notice in report.notices:
        yield Card(Note("warning", notice))
    for part in report.parts:
        yield from _part(part)


def _part(part: Section | str) -> list[Widget]:
    if isinstance(part, str):
        return [Plain(part, classes="part")]
    return [Plain(part.heading, classes="heading"), Static(part.table, classes="part")]
