"""The wire: one line a message whatever the text, and nothing else is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from medlora_edge.engine.client import _pieces
from medlora_edge.engine.protocol import (
    MAX_LINE,
    Count,
    Generate,
    Message,
    Role,
    Token,
    read_event,
    read_request,
    to_line,
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_makes_one_line_and_comes_back(text: str) -> None:
    request = Generate(id=1, messages=(Message(role=Role.USER, content=text),))
    line = to_line(request)
    assert line.count(b"\n") == 1
    assert read_request(line) == request
    token = Token(id=1, token=2, text=text, logprob=-0.5)
    assert read_event(to_line(token)) == token


@given(st.floats(width=32))
def test_any_number_comes_back_even_one_that_is_none(logprob: float) -> None:
    came = read_event(to_line(Token(id=1, token=2, text="", logprob=logprob)))
    assert isinstance(came, Token)
    assert came.logprob == pytest.approx(logprob, nan_ok=True)


@given(st.binary())
def test_any_bytes_are_a_message_or_a_validation_error(line: bytes) -> None:
    for read in (read_request, read_event):
        with pytest.raises(ValidationError):
            read(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"stats","id":1,"more":2}',
        b'{"kind":"format_disk","id":1}',
        b'{"kind":"generate","id":1,"messages":[{"role":"root","content":"x"}]}',
        b'{"kind":"generate","id":1,"messages":[],"max_tokens":0}',
        b'{"kind":"open","id":1,"options":{"n_seq_max":1000}}',
    ],
)
def test_unknown_keys_kinds_and_ranges_are_refused(line: bytes) -> None:
    with pytest.raises(ValidationError):
        read_request(line)


def test_chats_of_wide_characters_are_counted_in_lines_that_fit() -> None:
    chats = [(Message(role=Role.USER, content="\u75c5" * 150_000),)] * 3
    pieces = list(_pieces(chats))
    assert [chat for piece in pieces for chat in piece] == chats
    assert all(len(to_line(Count(id=1, chats=piece))) <= MAX_LINE for piece in pieces)
