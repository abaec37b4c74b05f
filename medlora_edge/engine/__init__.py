"""The only room that knows llama.cpp, and it knows it in a child process."""

from medlora_edge.engine.client import Engine
from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import ContextOptions, Done, Message, Reason, Reuse, Role, Sampling, Scored

__all__ = [
    "ContextOptions",
    "Done",
    "Engine",
    "Message",
    "Pending",
    "Reason",
    "Reuse",
    "Role",
    "Sampling",
    "Scored",
]
