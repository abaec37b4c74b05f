"""Screens that follow the terminal's size as it is now, however fast it changes."""

from textual import events
from textual.message_pump import MessagePump


class Steady(MessagePump):
    """To be named before Textual's screen class.

    Textual's screen lays itself out by whatever size it is told and then tells itself that size once more. Two sizes
    that are on their way at once then follow each other for ever, and the app hangs.
    """

    def on_resize(self, event: events.Resize) -> None:
        """A size that the terminal no longer has is not obeyed."""
        if event.size != self.app.size:
            event.prevent_default()
