"""What our driver makes of what was read, without a terminal."""

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from medlora_edge.tui.terminal.pastes import Pasted, Typed
from medlora_edge.tui.terminal.unix_driver import UnixDriver


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    messages: list[Message] = []
    monkeypatch.setattr(UnixDriver, "process_message", lambda self, message: messages.append(message))
    return messages


def pass_on(*pieces: Typed | Pasted) -> None:
    UnixDriver.__new__(UnixDriver)._pass_on(pieces, XTermParser())


def test_esc_behind_which_nothing_came_is_the_key_at_once(heard: list[Message]) -> None:
    pass_on(Typed("\x1b"))
    assert [message.key for message in heard if isinstance(message, Key)] == ["escape"]


def test_keys_that_begin_with_esc_and_pastes_are_what_they_were(heard: list[Message]) -> None:
    pass_on(Typed("\x1b[A"), Typed("\x1bb"), Pasted("a\x1bb"), Typed("x"))
    assert [message.key for message in heard if isinstance(message, Key)] == ["up", "ctrl+left", "x"]
    assert [message.text for message in heard if isinstance(message, Paste)] == ["a\x1bb"]
