"""Chats that survive: kept encrypted on disk, or in memory alone."""

from medlora_edge.history.attempts import wait_seconds
from medlora_edge.history.database import has_cipher
from medlora_edge.history.export import markdown
from medlora_edge.history.open import create, exists, private, recover, unlock
from medlora_edge.history.records import Chat, Hit, TaskName, Turn, TurnState
from medlora_edge.history.store import Store

__all__ = [
    "Chat",
    "Hit",
    "Store",
    "TaskName",
    "Turn",
    "TurnState",
    "create",
    "exists",
    "has_cipher",
    "markdown",
    "private",
    "recover",
    "unlock",
    "wait_seconds",
]
