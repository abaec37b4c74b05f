"""A page with a list and all about what is highlighted: side by side where there is room, else one below the other."""

from textual.screen import ModalScreen, ScreenResultType

from medlora_edge.tui.keys.bindings import LIST_PAGE_KEYS
from medlora_edge.tui.screens.steady import Steady


class ListPage(Steady, ModalScreen[ScreenResultType]):
    """List and `About` stand in "#body"; lines of one row have the class "line"."""

    BINDINGS = LIST_PAGE_KEYS
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it for instances
    DEFAULT_CSS = """
    ListPage {
        background: $background;
        .line { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        .line.quiet { color: $quiet; }
        #body { height: 1fr; layout: vertical; }
        &.-wide #body { layout: horizontal; }
        &.-wide About { border-top: none; border-left: solid $secondary; }
        &.-wide About:focus { border-left: solid $primary; }
    }
    """
