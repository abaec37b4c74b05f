"""What scrolls in the transcript: it stays at the end while the user is there, and says when an edge comes near."""

from collections.abc import Iterator
from contextlib import contextmanager

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

NEAR = 2  # rows from an edge


class Scroll(VerticalScroll, can_focus=False):
    """`following`: its end was in view, and the user has not scrolled up since."""

    DEFAULT_CSS = """
    Scroll { height: 1fr; scrollbar-size-vertical: 1; padding-top: 1; }
    """

    class AtEnd(Message):
        """The end is in view."""

    class Edge(Message):
        """The user is near the `top`, or near the bottom, of what is mounted."""

        def __init__(self, *, top: bool) -> None:
            super().__init__()
            self.top = top

    def __init__(self) -> None:
        super().__init__()
        self.following = True
        self._holding = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The user moved, or it followed; what was written meanwhile may have put the end further off."""
        super().watch_scroll_y(old_value, new_value)
        if new_value >= self.max_scroll_y:
            self.following = True
        elif new_value < old_value:
            self.following = False
        self.look()

    def watch_virtual_size(self) -> None:
        """Something was written."""
        self.follow()

    def on_resize(self) -> None:
        """The end stays in view."""
        self.follow()

    def look(self) -> None:
        """Say which edge is near."""
        if self._holding:
            return
        if self.following:
            self.post_message(self.AtEnd())
        elif self.scroll_y <= NEAR:
            self.post_message(self.Edge(top=True))
        if self.scroll_y >= self.max_scroll_y - NEAR:
            self.post_message(self.Edge(top=False))

    def follow(self) -> None:
        """Show the end, if it was in view."""
        if self.following and not self._holding:
            self.scroll_end(animate=False, force=True)

    def follow_again(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self.scroll_end(animate=False, force=True)

    def go_to(self, widget: Widget) -> None:
        """Put a widget that was just mounted at the top, once it and those around it have their sizes."""
        self.following = False
        self.call_after_refresh(self.call_after_refresh, self.scroll_to_widget, widget, animate=False, top=True)

    @contextmanager
    def held(self, widget: Widget) -> Iterator[None]:
        """Keep a widget where it is on the screen while others come and go around it."""
        place = widget.virtual_region.y - self.scroll_y

        def put_back() -> None:
            self._holding = False
            if widget.is_attached:
                self.scroll_to(y=widget.virtual_region.y - place, animate=False, immediate=True)

        self._holding = True
        yield
        self.call_after_refresh(put_back)
