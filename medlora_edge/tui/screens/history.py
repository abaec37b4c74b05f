"""Ctrl+R: every chat of the store, searched in full text, to be opened, renamed or erased."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Input, OptionList

from medlora_edge.errors import MedloraError
from medlora_edge.history import Turn
from medlora_edge.tui.keeping import places
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.keeping.reopening import Reopened
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.list_page import ListPage
from medlora_edge.tui.screens.shelf import Shelf
from medlora_edge.tui.widgets.chat_list import ChatList
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.line import NewTitle, Search
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.plain import Plain
from medlora_edge.tui.widgets.preview import Preview

SAVED = "Saved, encrypted."
NOT_SAVED = "Not saved: these chats are gone when you quit."
BUSY = "An answer is being written: stop it, or wait for its end."
ERASING = "Erasing: the file is rewritten without it ..."
ANSWERS = ("Keep it", "Erase it")


class History(ListPage[Reopened | None]):
    """Ends with the chat to be shown again. `busy`: whether an answer is being written."""

    HELP = "Chats"
    AUTO_FOCUS: ClassVar[str | None] = "Search"

    def __init__(self, shelf: Shelf, busy: Callable[[], bool]) -> None:
        super().__init__()
        self._shelf = shelf
        self._busy = busy

    # --- drawing ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Whether it is saved, the search, the list with its preview."""
        yield Notice()
        yield Plain(self._kept, classes="line")
        yield Search()
        yield NewTitle()
        yield Plain(id="count", classes="line quiet")
        with Container(id="body"):
            yield ChatList()
            yield Preview()
        yield Keys()

    def on_mount(self) -> None:
        """Every chat first."""
        self.query_one(NewTitle).display = False
        self._find()

    @property
    def _kept(self) -> str:
        if self._shelf.store.damage:
            return f"Open for reading only: {self._shelf.store.damage}."
        return SAVED if self._shelf.saved else NOT_SAVED

    @property
    def _list(self) -> ChatList:
        return self.query_one(ChatList)

    @property
    def _words(self) -> str:
        return self.query_one(Search).value

    def trouble(self, error: MedloraError) -> None:
        """Something failed."""
        self._say(f"{error.what}. What to do: {error.fix}." if error.fix else f"{error.what}.")

    def _say(self, words: str) -> None:
        self.notify(words, severity="warning", markup=False)

    def _say_below(self, words: str) -> None:
        self.query_one("#count", Plain).show(words)

    # --- finding ------------------------------------------------------------------------------------------

    @on(Input.Changed, "Search")
    def _typed(self) -> None:
        self._find()

    def _find(self, at: int = 0) -> None:
        words = self._words
        self._shelf.find(self, words, lambda found: self._show(found, words, at))

    def _show(self, found: tuple[Place, ...], words: str, at: int) -> None:
        if words != self._words:  # typed on meanwhile: the next search has begun
            return
        self._list.show(found, at)
        self._say_below(places.count(found, words))
        if not found:
            self.query_one(Preview).show(None)

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        place = self._list.place
        if place:
            self._shelf.look(self, place, lambda turn: self._preview(place, turn))

    def _preview(self, place: Place, turn: Turn | None) -> None:
        if place == self._list.place:
            self.query_one(Preview).show(turn, self._words)

    def action_to_list(self) -> None:
        """Down in the search: the next place."""
        self._list.focus()
        self._list.action_cursor_down()

    def action_to_search(self) -> None:
        """Back to the search."""
        self.query_one(Search).focus()

    # --- opening ------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    @on(Input.Submitted, "Search")
    def _chosen(self) -> None:
        place = self._list.place
        if self._busy():
            self._say(BUSY)
        elif place:
            self._shelf.open(self, place, self._end)

    def _end(self, reopened: Reopened) -> None:
        if self.is_current:
            self.dismiss(reopened)

    # --- renaming -----------------------------------------------------------------------------------------

    def action_rename(self) -> None:
        """A line for the new title."""
        place = self._list.place
        if place and self._may_change():
            box = self.query_one(NewTitle)
            box.value = places.title(place.chat)
            box.display = True
            box.focus()

    def action_keep_title(self) -> None:
        """No new title."""
        self._list.focus()
        self.query_one(NewTitle).display = False

    @on(Input.Submitted, "NewTitle")
    def _titled(self, event: Input.Submitted) -> None:
        place, at = self._list.place, self._list.highlighted or 0
        self.action_keep_title()
        if place and event.value.strip():
            self._shelf.rename(self, place, event.value, lambda _: self._find(at))

    # --- erasing ------------------------------------------------------------------------------------------

    def action_erase(self) -> None:
        """Asks first."""
        place = self._list.place
        if place is None or not self._may_change():
            return
        if self._busy():
            self._say(BUSY)
            return
        chat = place.chat
        about = f"{places.title(chat)}\n{places.facts(chat)}\n\nIts text is overwritten: nothing brings it back."
        self.app.push_screen(
            Choice("Erase this chat?", about, ANSWERS), lambda chosen: self._erase(place) if chosen else None
        )

    def _erase(self, place: Place) -> None:
        at = self._list.highlighted or 0
        self._say_below(ERASING)
        self._shelf.erase(self, place, lambda _: self._find(at))

    def _may_change(self) -> bool:
        if self._shelf.store.damage:
            self._say(f"{self._kept} Nothing can be changed.")
        return self._shelf.store.damage is None
