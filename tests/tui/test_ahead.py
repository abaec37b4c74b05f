"""What is typed is computed ahead, once, and never in the way of a question."""

from concurrent.futures import ThreadPoolExecutor

from medlora_edge.engine import Engine
from medlora_edge.engine.protocol import Cause, Event, Failed, Message, Prefilling, Role
from medlora_edge.models import Model
from medlora_edge.tui.session.ahead import Ahead
from medlora_edge.tui.session.events import Prefilled, Said
from medlora_edge.tui.session.session import Session
from tests.tui.listener import Listener
from tests.tui.turns import question, turn

LONG = "What is known about sepsis in adults and in children? " * 100


def test_what_was_computed_ahead_is_not_computed_again(ready: Session, listener: Listener) -> None:
    ready.prefill("ask", question(LONG), [])
    ahead = listener.first(Prefilled)
    ready.ask(turn(1, LONG + "Does it hurt?"), [])
    end = listener.end(1)
    assert end.timings
    assert end.timings.cached_tokens >= ahead.tokens - 1


def test_send_of_what_is_being_computed_goes_on_from_it(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    threads.submit(ready.prefill, "ask", question(LONG * 2), [])
    threads.submit(ready.ask, turn(1, LONG * 2 + "Does it hurt?"), [])
    end = listener.end(1)
    assert end.timings
    assert engine.stats().computed_prompt_tokens < end.timings.prompt_tokens + 10


def test_send_of_something_else_gives_up_what_was_computed_ahead(
    ready: Session, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    prefilling = threads.submit(ready.prefill, "ask", question(LONG * 2), [])
    ready.ask(turn(1, "Does it hurt?"), [])
    listener.end(1)
    prefilling.result(60)
    ready.ask(turn(99, "Still there?"), [])
    assert listener.end(99).answer


def test_nothing_is_computed_ahead_while_a_turn_is_answered_or_without_a_model(
    session: Session, model: Model, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    session.prefill("ask", question(LONG), [])
    session.load(model)
    threads.submit(session.ask, turn(1), [])
    listener.first(Said)
    session.prefill("ask", question(LONG), [])
    session.stop()
    session.prefill("ask", question(""), [])
    listener.end(1)
    assert not listener.all(Prefilled)


def test_prefill_can_be_given_up(ready: Session, listener: Listener, threads: ThreadPoolExecutor) -> None:
    prefilling = threads.submit(ready.prefill, "ask", question(LONG * 2), [])
    ready.stop_prefill()
    prefilling.result(60)
    ready.ask(turn(99, "Still there?"), [])
    assert listener.end(99).answer


class Cancelled:
    """An engine whose prefills are given up halfway, and the prefill itself."""

    def prefill(self, chat: object) -> "Cancelled":
        return self

    def events(self) -> tuple[Event, ...]:
        return Prefilling(id=1, done=96, total=400), Failed(id=1, cause=Cause.CANCELLED, what="cancelled")


def test_prefill_given_up_is_not_left_standing() -> None:
    said: list[tuple[int, ...]] = []
    ahead = Ahead(
        Cancelled(),  # type: ignore[arg-type]
        on_progress=lambda done, total: said.append((done, total)),
        on_done=lambda tokens: said.append((tokens,)),
    )
    ahead.read((Message(role=Role.USER, content="Does it"),))
    assert said == [(96, 400), (0,)]


def test_typing_on_goes_on_from_what_is_under_way(
    ready: Session, engine: Engine, listener: Listener, threads: ThreadPoolExecutor
) -> None:
    texts = [LONG, LONG + "and", LONG + "and in", LONG + "and in infants"]
    prefills = [threads.submit(ready.prefill, "ask", question(text), []) for text in texts]
    for one in prefills:
        one.result(60)
    ready.prefill("ask", question(texts[-1]), [])
    budget = ready.budget("ask", question(texts[-1]), [])
    assert budget
    assert engine.stats().computed_prompt_tokens < budget.used + 20
