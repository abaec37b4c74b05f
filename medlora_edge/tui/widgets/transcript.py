"""The chat so far. It follows what is written only while its end is in view."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget

from medlora_edge.tui.widgets.plain import Plain
from medlora_edge.tui.widgets.turn_view import TurnView

MORE = "\u2193 new text below (Ctrl+End)"


class Scroll(VerticalScroll, can_focus=False):
    """What scrolls in the transcript. `following`: its end was in view when the user last moved."""

    following = True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The user moved, or it followed."""
        super().watch_scroll_y(old_value, new_value)
        self.following = new_value >= self.max_scroll_y
        if self.following and isinstance(self.parent, Transcript):
            self.parent.nothing_new()

    def on_resize(self) -> None:
        """The end stays in view."""
        self.follow()

    def follow(self) -> None:
        """Show the end, if it was in view."""
        if self.following:
            self.scroll_end(animate=False)


class Transcript(Vertical):
    """Turns and cards in order, and the marker of text out of view."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        Scroll { height: 1fr; scrollbar-size-vertical: 1; padding-top: 1; }
        #more { height: 1; display: none; text-align: center; color: $background; background: $accent; }
        #more.shown { display: block; }
    }
    """

    def compose(self) -> ComposeResult:
        """Scrolling part and marker."""
        yield Scroll()
        yield Plain(MORE, id="more")

    @property
    def scroll_part(self) -> Scroll:
        """What scrolls."""
        return self.query_one(Scroll)

    def add(self, widget: Widget) -> None:
        """One more turn or card."""
        self.scroll_part.mount(widget)
        self.grew()

    def turn(self, number: int) -> TurnView | None:
        """The view of a turn, if it is shown."""
        found = self.query(f"#turn-{number}").results(TurnView)
        return next(iter(found), None)

    def turns(self) -> list[TurnView]:
        """All turns shown, in order."""
        return list(self.query(TurnView))

    def grew(self) -> None:
        """Something was written: show it, or mark that it is out of view."""
        self.query_one("#more").set_class(not self.scroll_part.following, "shown")
        self.scroll_part.follow()

    def nothing_new(self) -> None:
        """The end is in view."""
        self.query_one("#more").remove_class("shown")
