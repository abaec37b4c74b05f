"""The list of chats and the app: from the list back into a chat, and what goes with a chat that is erased."""

from functools import partial
from typing import TYPE_CHECKING

from medlora_edge.errors import MedloraError
from medlora_edge.tui.chat.modes import typed
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keeping.reopening import Reopened
from medlora_edge.tui.screens.history import History
from medlora_edge.tui.screens.shelf import Shelf

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp

RECALLED = 500  # prompts that Up walks back through


def open_list(app: "EdgeApp") -> None:
    """Show every chat of the store."""
    chat = app.chat
    if app.screen is not chat:
        return
    model = chat.desk.model
    shelf = Shelf(
        app.keeper.store,
        saved=chat.standing.keeping is not Keeping.NOT_SAVED,
        loaded_sha256=model.manifest.sha256 if model else "",
        erased=partial(_forget, app),
    )
    app.push_screen(History(shelf, lambda: chat.busy), partial(_reopen, app))


def recall_prompts(app: "EdgeApp") -> None:
    """Let Up walk through what was asked in every chat of the store."""
    app.run_worker(partial(_read_prompts, app), thread=True, group="recall", exclusive=True)


def _read_prompts(app: "EdgeApp") -> None:
    chat = app.chat
    try:
        sent = tuple(map(typed, app.keeper.store.questions(RECALLED)))
    except MedloraError as error:
        app.trouble(error)
    else:
        chat.tell(lambda: chat.prompt.recall.begin_with(sent))


async def _reopen(app: "EdgeApp", chosen: Reopened | None) -> None:
    if chosen:
        await app.chat.open_chat(chosen)


def _forget(app: "EdgeApp", erased: int) -> None:
    """Nothing of it stays on the screen or under a key."""
    if app.keeper.chat and app.keeper.chat.id == erased:
        app.chat.begin_chat()
    recall_prompts(app)
