"""Going on from an answer that was left, through the real engine."""

from medlora_edge.tui.session.events import Queued, ReadingPrompt, Said
from medlora_edge.tui.session.session import Session
from tests.tui.listener import Listener
from tests.tui.turns import turn

BEGUN = "Sepsis is "


def test_what_is_begun_is_said_first_and_the_end_holds_one_text(ready: Session, listener: Listener) -> None:
    ready.ask(turn(1), [], BEGUN)
    end = listener.end(1)
    kinds = [type(event) for event in listener.events if getattr(event, "turn", None) == 1]
    assert kinds[:3] == [Queued, Said, ReadingPrompt]
    assert listener.all(Said)[0] == Said(1, BEGUN, 0)
    assert end.answer.startswith(BEGUN)
    assert len(end.answer) > len(BEGUN)
    assert end.answer.startswith("".join(said.text for said in listener.all(Said)))
