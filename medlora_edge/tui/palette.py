"""Everything the app can do, as commands of the palette. What cannot be done now is not offered."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from medlora_edge.tui.chat.chatlog import unfinished
from medlora_edge.tui.themes import THEMES

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp


def commands(app: "EdgeApp") -> Iterator[SystemCommand]:
    """What the palette lists now."""
    if not app.locked:
        yield from _chat(app)
        yield from _last_turn(app)
        yield from _keeping(app)
    yield from _everywhere(app)


def _chat(app: "EdgeApp") -> Iterator[SystemCommand]:
    chat = app.chat
    yield SystemCommand("New chat", "Begin an empty chat", chat.action_new_chat)
    yield SystemCommand("Chats", "Search in all chats; open, rename, erase one", app.action_history)
    yield SystemCommand("Next mode", "Ask, PubMedQA, multiple choice", chat.action_next_mode)
    yield SystemCommand("Bench", "Measure a model: PubMedQA or the sample, progress, results", app.action_bench)
    yield SystemCommand("Models", "What is installed, and go on with another one", app.action_models)
    if chat.busy or chat.standing.loading:
        yield SystemCommand("Stop", "Stop the answer or the load", chat.asking.stop)


def _last_turn(app: "EdgeApp") -> Iterator[SystemCommand]:
    chat = app.chat
    if (last := chat.transcript.last) is None:
        return
    yield SystemCommand("Retry", "Ask the last question again", partial(chat.asking.retry, last))
    if unfinished(last):
        yield SystemCommand("Go on", "Have the last answer written on", partial(chat.asking.go_on, last))
    yield SystemCommand("Edit", "Put the last question into the prompt", partial(chat.asking.edit, last))
    yield SystemCommand("Export", "Write the chat to a Markdown file, not encrypted", app.export)
    yield SystemCommand("Copy", "Copy the last answer", partial(app.copy_to_clipboard, last.answer))
    yield SystemCommand(
        "Copy through the terminal",
        "Copy the last answer by OSC 52, for ssh and tmux",
        partial(app.copy_through_terminal, last.answer),
    )


def _keeping(app: "EdgeApp") -> Iterator[SystemCommand]:
    if app.vault.may_keep:
        yield SystemCommand("Keep chats, encrypted", "This one and all to come", app.action_keep_chats)
    if app.vault.may_lock:
        yield SystemCommand("Lock", "Drop keys, screen and engine until the passphrase is typed", app.action_lock)


def _everywhere(app: "EdgeApp") -> Iterator[SystemCommand]:
    for theme in THEMES:
        yield SystemCommand(f"Theme {theme.name}", "Change the colours", partial(app.wear, theme.name))
    yield SystemCommand("Help", "Keys that work here", app.action_help)
    yield SystemCommand("Quit", "Leave the app", app.action_ask_quit)
