"""Work whose end is said exactly once, by whoever comes first: it itself, or the user who stops it."""

from collections.abc import Callable
from threading import RLock

from medlora_edge.tui.session.events import SessionEvent


class Underway:
    """Says events until it has ended, and nothing after that."""

    def __init__(self, put: Callable[[SessionEvent], None]) -> None:
        self._put = put
        self.lock = RLock()
        self.ended = False

    def say(self, event: SessionEvent) -> None:
        """Pass an event on."""
        with self.lock:
            if not self.ended:
                self._put(event)

    def end(self, event: SessionEvent) -> bool:
        """Pass the last event on; whether it was the first to end this."""
        with self.lock:
            first = not self.ended
            self.say(event)
            self.ended = True
            return first
