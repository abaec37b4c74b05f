"""Events reach the screen in order, and never hold up who sends them."""

from threading import Event, get_ident

import pytest

from medlora_edge.tui.session.events import Queued, Said, SessionEvent
from medlora_edge.tui.session.mailbox import Mailbox, merged
from tests.tui.listener import Listener
from tests.tui.waiting import PATIENCE_SECONDS, wait_until


def test_neighbouring_words_of_one_turn_become_one_event() -> None:
    events: list[SessionEvent] = [
        Said(1, "a", 1),
        Said(1, "b", 2),
        Queued(2),
        Said(2, "c", 1),
        Said(3, "d", 1),
        Said(3, "", 2),
    ]
    assert merged(events) == [Said(1, "ab", 2), Queued(2), Said(2, "c", 1), Said(3, "d", 2)]


def test_slow_screen_gets_everything_in_order_and_the_sender_does_not_wait() -> None:
    listener, go, threads = Listener(), Event(), set()

    def slow(event: SessionEvent) -> None:
        go.wait()
        threads.add(get_ident())
        listener(event)

    mailbox = Mailbox(slow)
    mailbox.put(Queued(1))
    for number in range(1, 1001):
        mailbox.put(Said(1, f"{number} ", number))
    mailbox.put(Queued(2))
    mailbox.close()
    go.set()
    listener.first(Queued)
    wait_until(lambda: listener.all(Queued)[1:])
    assert "".join(said.text for said in listener.all(Said)).split() == [str(number) for number in range(1, 1001)]
    assert len(listener.all(Said)) < 1000
    assert threads.isdisjoint({get_ident()})
    assert len(threads) == 1


def test_words_keep_a_pace_that_nothing_else_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medlora_edge.tui.session.mailbox.PACE_SECONDS", 10 * PATIENCE_SECONDS)
    listener = Listener()
    mailbox = Mailbox(listener)
    mailbox.put(Said(1, "first ", 1))
    listener.first(Said)
    for number, word in enumerate(("second ", "third "), start=2):
        mailbox.put(Said(1, word, number))
    mailbox.put(Queued(2))
    listener.first(Queued)
    assert [said.text for said in listener.all(Said)] == ["first ", "second third "]
    mailbox.put(Said(2, "last", 1))
    mailbox.close()
    wait_until(lambda: listener.all(Said)[2:])
