"""Events on their way to the screen: in order, from any thread, never holding up who sends them."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Thread

from medlora_edge.tui.session.events import Said, SessionEvent

PACE_SECONDS = 0.1  # between two looks at an answer that grows: drawing it costs, reading more often gains nothing


class Mailbox:
    """Calls `post` from a thread of its own; words that come faster than its pace are handed over together."""

    def __init__(self, post: Callable[[SessionEvent], None]) -> None:
        self._post = post
        self._spoke = float("-inf")
        self._queue: SimpleQueue[SessionEvent | None] = SimpleQueue()
        Thread(target=self._deliver, name="session events", daemon=True).start()

    def put(self, event: SessionEvent) -> None:
        """Send an event; returns at once."""
        self._queue.put(event)

    def close(self) -> None:
        """End after what was put so far."""
        self._queue.put(None)

    def _deliver(self) -> None:
        while True:
            waiting = [*self._taken(), *self._rest()]
            for event in merged(event for event in waiting if event):
                self._post(event)
                if isinstance(event, Said):
                    self._spoke = time.monotonic()
            if None in waiting:
                return

    def _taken(self) -> list[SessionEvent | None]:
        """At least one event; words alone wait until the ones before were looked at for a moment."""
        taken = [self._queue.get()]
        with suppress(Empty):
            while all(isinstance(event, Said) for event in taken):
                taken.append(self._queue.get(timeout=max(0.0, self._spoke + PACE_SECONDS - time.monotonic())))
        return taken

    def _rest(self) -> Iterator[SessionEvent | None]:
        try:
            while True:
                yield self._queue.get_nowait()
        except Empty:
            return


def merged(events: Iterable[SessionEvent]) -> list[SessionEvent]:
    """The same events with neighbouring words of one turn put together."""
    kept: list[SessionEvent] = []
    for event in events:
        last = kept[-1] if kept else None
        if isinstance(event, Said) and isinstance(last, Said) and event.turn == last.turn:
            kept[-1] = replace(event, text=last.text + event.text)
        else:
            kept.append(event)
    return kept
