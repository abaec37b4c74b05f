"""The earlier runs, newest first: name, how far, how well, when."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from medlora_edge.bench.runs import Listed
from medlora_edge.bench.tabular import percent
from medlora_edge.tui.chat.signs import SEPARATOR
from medlora_edge.tui.keys.bindings import RUN_LIST_KEYS
from medlora_edge.tui.widgets.plain import plain


class RunList(OptionList):
    """`runs` are those listed."""

    HELP = "Earlier runs"
    BINDINGS: ClassVar[list[BindingType]] = RUN_LIST_KEYS
    DEFAULT_CSS = """
    RunList { height: 1fr; min-height: 3; border: round $secondary; background: $background; padding: 0 1; }
    RunList:focus { border: round $primary; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[Listed, ...] = ()
        self.border_title = "Earlier runs"

    def show(self, runs: Sequence[Listed]) -> None:
        """List them."""
        self.runs = tuple(sorted(runs, key=lambda run: run.started, reverse=True))
        self.clear_options()
        if runs:
            self.add_options(map(_option, self.runs))
        else:
            self.add_option(Option("None yet.", disabled=True))

    @property
    def chosen(self) -> Listed | None:
        """The run that is highlighted."""
        at = self.highlighted
        return self.runs[at] if at is not None and at < len(self.runs) else None


def _option(run: Listed) -> Option:
    return Option(Content("\n").join([plain(run.name), plain(f"   {words(run)}")]))


def words(run: Listed) -> str:
    """How far and how well."""
    if run.problem:
        return f"cannot be read: {run.problem.what}"
    accuracy = "unfinished" if run.accuracy is None else f"accuracy {percent(run.accuracy)} %"
    return SEPARATOR.join((f"{run.done:,} of {run.total:,} answered", accuracy, run.started))
