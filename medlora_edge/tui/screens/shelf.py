"""The store behind the list of chats: read and changed in threads, the results told to the screen while it is there."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from medlora_edge.errors import MedloraError
from medlora_edge.history import Store, Turn
from medlora_edge.tui.keeping import places
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.keeping.reopening import Reopened, reopen
from medlora_edge.tui.terminal.threads import tell, tell_screen

if TYPE_CHECKING:
    from medlora_edge.tui.screens.history import History

T = TypeVar("T")


class Shelf:
    """`loaded_sha256`: the model that would answer now; `erased` is told which chat is gone, screen or not."""

    def __init__(self, store: Store, *, saved: bool, loaded_sha256: str, erased: Callable[[int], object]) -> None:
        self.store = store
        self.saved = saved
        self._loaded = loaded_sha256
        self._erased = erased

    def find(self, screen: "History", words: str, then: Callable[[tuple[Place, ...]], object]) -> None:
        """Places with these words."""
        self._run(screen, "find", lambda: places.find(self.store, words), then)

    def look(self, screen: "History", place: Place, then: Callable[[Turn | None], object]) -> None:
        """The turn to show of a place."""
        self._run(screen, "look", lambda: places.turn_of(self.store, place), then)

    def open(self, screen: "History", place: Place, then: Callable[[Reopened], object]) -> None:
        """Everything of a chat."""
        self._run(screen, "open", lambda: reopen(self.store, place, self._loaded), then)

    def rename(self, screen: "History", place: Place, title: str, then: Callable[[None], object]) -> None:
        """Another title."""
        self._run(screen, "rename", lambda: self.store.rename(place.chat.id, title), then)

    def erase(self, screen: "History", place: Place, then: Callable[[None], object]) -> None:
        """Delete a chat; rewrites the file (seconds), and what failed then may leave the chat gone all the same."""
        app = screen.app

        def work() -> None:
            try:
                self.store.delete(place.chat.id)
            finally:
                if all(chat.id != place.chat.id for chat in self.store.chats()):
                    tell(app, self._erased, place.chat.id)
                    tell_screen(screen, then, None)

        self._run(screen, "erase", work, lambda _: None)

    def _run(self, screen: "History", group: str, read: Callable[[], T], then: Callable[[T], object]) -> None:
        def work() -> None:
            try:
                result = read()
            except MedloraError as error:
                tell_screen(screen, screen.trouble, error)
            else:
                tell_screen(screen, then, result)

        screen.run_worker(work, thread=True, group=group, exclusive=True)
