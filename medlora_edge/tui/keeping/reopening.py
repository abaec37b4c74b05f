"""A kept chat to be shown again, and why it may be only read: its model is gone, or is another file now."""

from collections.abc import Sequence
from dataclasses import dataclass

from medlora_edge import models
from medlora_edge.history import Chat, Store, Turn
from medlora_edge.models import Model
from medlora_edge.tui.keeping.places import Place

INSTEAD = "It can be read, copied and exported; Ctrl+N begins a new chat."


@dataclass(frozen=True)
class Reopened:
    """`why_read_only`: what to say instead of asking on in it, None where one can; `turn`: the one searched for."""

    chat: Chat
    turns: tuple[Turn, ...]
    why_read_only: str | None = None
    turn: int | None = None


def reopen(store: Store, place: Place, loaded_sha256: str) -> Reopened:
    """Read a chat and see what became of its model. Raises MedloraError."""
    chat = store.chat(place.chat.id)
    turns = store.turns(chat.id)
    why = store.damage or _model_lost(chat, turns, loaded_sha256)
    return Reopened(chat, turns, f"Read only: {why}. {INSTEAD}" if why else None, place.turn)


def _model_lost(chat: Chat, turns: Sequence[Turn], loaded_sha256: str) -> str | None:
    """Why the model that answered last cannot go on."""
    name, sha256 = (turns[-1].model, turns[-1].model_sha256) if turns else (chat.model, chat.model_sha256)
    name = name or chat.model or "that answered"
    present = _present()
    if sha256 == loaded_sha256 or sha256 in {model.manifest.sha256 for model in present}:
        return None
    if any(model.name == name for model in present):
        return f"the model {name} is another file now than the one that answered in this chat"
    return f"the model {name} is no longer installed"


def _present() -> tuple[Model, ...]:
    """Models of the catalogue whose file is there."""
    entries = (*models.installed(), *models.shipped())
    return tuple(entry.model for entry in entries if entry.model and entry.model.path.is_file())
