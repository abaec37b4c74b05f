"""What unlocked chats bring back: the chat that was open, the draft, an answer that a death interrupted."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.history import Store, Turn
from medlora_edge.history.database import MEND
from medlora_edge.tui.chat.chatlog import unfinished
from medlora_edge.tui.keeping import draft
from medlora_edge.tui.keeping.draft import Draft
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.keeping.reopening import Reopened, reopen
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.session.conversation import title

if TYPE_CHECKING:
    from medlora_edge.tui.screens.chat import ChatScreen

RESUME = "The app ended, or was locked, while this was being answered:"
GO_ON = "Go on where it stopped"
AGAIN = "Answer it from the beginning"
LATER = "Later: it stays in the chat, marked"


@dataclass(frozen=True)
class Opened:
    """`interrupted`: a turn without an end; `reopened`: the chat to go on in."""

    draft: Draft
    damage: str | None
    interrupted: Turn | None
    reopened: Reopened | None


def look(store: Store, left: int | None, loaded_sha256: str) -> Opened:
    """Read it, from a worker thread. `left`: the chat that was open before. Raises MedloraError."""
    typed = draft.read(store.draft()) if store.draft() else Draft()
    interrupted = store.interrupted()[-1:]
    chat = interrupted[0].chat if interrupted else left or typed.chat
    return Opened(typed, store.damage, interrupted[0] if interrupted else None, _reopened(store, chat, loaded_sha256))


def _reopened(store: Store, chat: int | None, loaded_sha256: str) -> Reopened | None:
    with suppress(UsageError):  # it was deleted
        return reopen(store, Place(store.chat(chat)), loaded_sha256) if chat is not None else None
    return None


async def show(chat: "ChatScreen", found: Opened) -> None:
    """Put it on the screen and offer to go on."""
    if not found.draft.empty:  # first: what the box holds is what is kept as the draft from here on
        chat.write(found.draft.task, found.draft.text, found.draft.abstract)
    if found.reopened:
        await _reopen(chat, found.reopened)
        if found.reopened.chat.id == found.draft.chat and not found.draft.empty:
            chat.asking.edit_on(found.draft.edits)
    if found.damage:
        chat.trouble(CorruptError(f"{found.damage}. What can be read is here, for reading only", fix=MEND))
    if found.interrupted and not (found.reopened and found.reopened.why_read_only):
        _offer(chat, found.interrupted)


async def _reopen(chat: "ChatScreen", reopened: Reopened) -> None:
    """What was said while the chats were locked stands behind the chat."""
    said = chat.transcript.notes
    await chat.open_chat(reopened)
    for note in said:
        chat.transcript.add(note)


def _offer(chat: "ChatScreen", turn: Turn) -> None:
    answers = [*([GO_ON] if unfinished(turn) else []), AGAIN, LATER]

    def answered(chosen: int | None) -> None:
        answer = LATER if chosen is None else answers[chosen]
        if answer == GO_ON:
            chat.asking.go_on(turn)
        elif answer == AGAIN:
            chat.asking.retry(turn)

    chat.app.push_screen(Choice("Go on?", f"{RESUME}\n\n{title(turn.question)}", answers), answered)
