"""A store with chats, and the smallest app around the list of them."""

from collections.abc import Callable

from textual.pilot import Pilot

from medlora_edge.history import Store, TaskName, Turn, TurnState
from medlora_edge.tui.keeping.reopening import Reopened
from medlora_edge.tui.safe_app import SafeApp
from medlora_edge.tui.screens.history import History
from medlora_edge.tui.screens.shelf import Shelf
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.widgets.chat_list import ChatList
from medlora_edge.tui.widgets.preview import Preview
from tests.tui.apps import screen_text, until
from tests.tui.turns import question

LOADED = "ab" * 32


def keep_chat(
    store: Store,
    title: str,
    answer: str = "An answer.",
    *,
    asked: str = "What is it?",
    task: TaskName = "ask",
    model: str = "starter",
    sha256: str = LOADED,
) -> Turn:
    """A chat of one turn that has ended."""
    chat = store.new_chat(model, sha256)
    store.rename(chat.id, title)
    turn = store.begin(chat.id, task, question(asked, task), model_sha256=sha256, prompts_sha256="", model=model)
    label = {"pubmedqa": "yes", "multiple_choice": "A"}.get(task)
    store.end(turn.id, TurnState.DONE, answer, label=label)
    return turn


class ShelfApp(SafeApp):
    """`chosen`: what the list ended with; `erased`: what was erased."""

    BINDINGS = [("ctrl+r", "history", "Chats")]  # noqa: RUF012 - as Textual has it

    def __init__(self, store: Store, *, saved: bool = False, busy: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self.erased: list[int] = []
        self.chosen: list[Reopened | None] = []
        self.shelf = Shelf(store, saved=saved, loaded_sha256=LOADED, erased=self.erased.append)
        self.busy = busy
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def on_mount(self) -> None:
        self.action_history()

    def action_history(self) -> None:
        self.push_screen(History(self.shelf, self.busy), self.chosen.append)

    def action_escape(self) -> None:
        self.screen.dismiss(None)


def listed(app: ShelfApp) -> list[str]:
    """Titles in the list."""
    return [place.chat.title for place in app.screen.query_one(ChatList)._places]


async def opened(pilot: Pilot[None], app: ShelfApp) -> None:
    """Every chat is listed, the first one previewed."""
    await until(pilot, lambda: isinstance(app.screen, History) and listed(app), "the chats are listed")
    await until(pilot, lambda: "You \u00b7" in str(app.screen.query_one(Preview).query_one("Plain").render()))


async def shows(pilot: Pilot[None], words: str) -> None:
    """Wait until it is on the screen."""
    await until(pilot, lambda: words in screen_text(pilot.app), words)


async def notified(pilot: Pilot[None], words: str) -> None:
    """Wait until it is said in a notification."""
    await until(pilot, lambda: any(words in note.message for note in pilot.app._notifications), words)
