"""Hears what a session says."""

from typing import TypeVar

from medlora_edge.tui.session.events import Ended, SessionEvent
from tests.tui.waiting import wait_until

E = TypeVar("E", bound=SessionEvent)


class Listener:
    """Keeps every event in order."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []

    def __call__(self, event: SessionEvent) -> None:
        self.events.append(event)

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def first(self, kind: type[E]) -> E:
        """Wait for the first event of that kind."""
        wait_until(lambda: self.all(kind), f"{kind.__name__} among {self.events[-5:]}")
        return self.all(kind)[0]

    def end(self, turn: int) -> Ended:
        """Wait for the end of a turn."""
        wait_until(lambda: self._ends(turn), f"the end of turn {turn}; last {self.events[-5:]}")
        (only,) = self._ends(turn)
        return only

    def _ends(self, turn: int) -> list[Ended]:
        return [event for event in self.all(Ended) if event.turn == turn]
