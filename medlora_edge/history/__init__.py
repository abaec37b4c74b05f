"""Chats that survive: kept encrypted on disk, or in memory alone."""

from medlora_edge.history.attempts import wait_seconds
from medlora_edge.history.database import has_cipher
from medlora_edge.history.export import markdown
from medlora_edge.history.open import create, exists, in_use, private, recover, unlock
from medlora_edge.history.records import Chat, Hit, Setting, TaskName, Turn, TurnState
from medlora_edge.history.store import Store

__all__ = [
    "Chat",
    "Hit",
    "Setting",
    "Store",
    "TaskName",
    "Turn",
    "TurnState",
    "create",
    "exists",
    "has_cipher",
    "in_use",
    "markdown",
    "private",
    "recover",
    "unlock",
    "wait_seconds",
]
