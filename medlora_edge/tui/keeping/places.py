"""What the list of chats shows: every chat, or the places where a search found its words; and how it reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from medlora_edge.history import Chat, Store, Turn
from medlora_edge.privacy import clean
from medlora_edge.tui.chat.modes import mode

MOST = 50  # places of one search; more words find fewer
NO_TITLE = "(no title)"


@dataclass(frozen=True)
class Place:
    """A chat, and the turn and snippet where the words searched for stand; `matches` as in history.Hit."""

    chat: Chat
    turn: int | None = None
    snippet: str = ""
    matches: tuple[tuple[int, int], ...] = ()


def find(store: Store, words: str) -> tuple[Place, ...]:
    """Places with all of the words, without words every chat; the last used chat first.

    A title counts where none of its chat's turns has the words. Raises MedloraError.
    """
    chats = {chat.id: chat for chat in store.chats()}
    if not words.strip():
        return tuple(map(Place, chats.values()))
    hits = [hit for hit in store.search(words, 2 * MOST) if hit.chat in chats]
    told = {hit.chat for hit in hits if hit.turn}  # a title is its chat's first question, most often
    found = (hit for hit in hits if hit.turn or hit.chat not in told)
    return tuple(Place(chats[hit.chat], hit.turn, hit.snippet, hit.matches) for hit in islice(found, MOST))


def turn_of(store: Store, place: Place) -> Turn | None:
    """The turn found, the chat's last where none is; None for a chat without turns. Raises MedloraError."""
    turns = store.turns(place.chat.id)
    found = (turn for turn in turns if turn.id == place.turn)
    return next(found, turns[-1] if turns else None)


def title(chat: Chat) -> str:
    """One line."""
    return " ".join(clean(chat.title).split()) or NO_TITLE


def facts(chat: Chat) -> str:
    """When it was used last, in which modes, with which model, and how long it is."""
    modes = ", ".join(mode(task).name for task in chat.tasks)
    turns = f"{chat.turns} turn" + ("" if chat.turns == 1 else "s")
    return " \u00b7 ".join(part for part in (when(chat.updated), modes, clean(chat.model), turns) if part)


def when(moment: datetime) -> str:
    """Local time to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def count(places: Sequence[Place], words: str) -> str:
    """How many there are, in words."""
    if not words.strip():
        return f"{len(places):,} chat" + ("" if len(places) == 1 else "s")
    if not places:
        return "Nothing found. All words must stand in one turn or one title."
    if len(places) == MOST:
        return f"The first {MOST} places; more words find fewer."
    return f"{len(places)} place" + ("" if len(places) == 1 else "s")
