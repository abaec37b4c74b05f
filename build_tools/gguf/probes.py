"""Chats on which tokenisers are prone to differ: unicode, spaces, and users who write control tokens."""

import json
from functools import lru_cache
from pathlib import Path

from medlora_edge.engine.protocol import Message


@lru_cache(maxsize=1)
def probes() -> tuple[tuple[Message, ...], ...]:
    """The fifty chats of probes.json, each a list of [role, content]."""
    chats = json.loads(Path(__file__).with_name("probes.json").read_text(encoding="utf-8"))
    return tuple(tuple(Message(role=role, content=content) for role, content in chat) for chat in chats)
