"""All that is known of what is highlighted in a list."""

from textual.containers import VerticalScroll


class About(VerticalScroll):
    """Scrolls when it has the focus."""

    DEFAULT_CSS = """
    About { height: 1fr; width: 1fr; padding: 0 1; border-top: solid $secondary; scrollbar-size-vertical: 1; }
    About:focus { border-top: solid $primary; }
    """
