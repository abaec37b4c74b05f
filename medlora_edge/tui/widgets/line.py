"""Text boxes of one line: what is pasted into them is cleaned and cut."""

from textual.widgets import Input

from medlora_edge.privacy import clean
from medlora_edge.tui.keys.bindings import NEW_TITLE_KEYS, SEARCH_KEYS

LONGEST = 200  # characters, as a chat's title


class Line(Input):
    """One line."""

    DEFAULT_CSS = """
    Line { border: round $secondary; background: $background; padding: 0 1; height: 3; }
    Line:focus { border: round $primary; background-tint: $background 0%; }
    Line > .input--placeholder { color: $quiet; }
    """

    def on_mount(self) -> None:
        """No blinking: it repaints for nothing."""
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Whatever comes in."""
        return clean(value).replace("\n", " ").replace("\t", " ")[:LONGEST]


class Search(Line):
    """Words that all must be found."""

    BINDINGS = SEARCH_KEYS
    HELP = "The search"

    def __init__(self) -> None:
        super().__init__(placeholder="Search in all chats")


class NewTitle(Line):
    """A chat's title being changed."""

    BINDINGS = NEW_TITLE_KEYS
    HELP = "The new title"

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "New title"
