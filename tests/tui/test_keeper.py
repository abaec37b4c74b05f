"""What is said is kept: question first, answer while it is said, end at once; and a full disk is told."""

from collections.abc import Iterator

import pytest

from medlora_edge import history
from medlora_edge.errors import MedloraError, ResourceError
from medlora_edge.history import Store, TurnState
from medlora_edge.tui.events import Ended, EngineRestarted, Said
from medlora_edge.tui.keeper import Keeper
from tests.tui.fake_session import TIMINGS
from tests.tui.turns import question


@pytest.fixture
def troubles() -> list[MedloraError]:
    return []


@pytest.fixture
def keeper(troubles: list[MedloraError]) -> Iterator[Keeper]:
    with history.private() as store:
        yield Keeper(store, troubles.append)


def begin(keeper: Keeper) -> int:
    return keeper.begin("ask", question("What is sepsis?"), model="tiny", sha256="ab").id


def test_first_question_begins_a_chat_and_names_it(keeper: Keeper) -> None:
    assert keeper.turns() == ()
    begin(keeper)
    (chat,) = keeper.store.chats()
    assert (chat.title, chat.model, chat.turns) == ("What is sepsis?", "tiny", 1)
    assert keeper.turns()[0].state is TurnState.WAITING


def test_words_are_kept_when_flushed(keeper: Keeper) -> None:
    turn = begin(keeper)
    keeper.hear(Said(turn, "Sepsis ", 1))
    keeper.hear(Said(turn, "is", 2))
    assert keeper.behind
    keeper.flush()
    assert not keeper.behind
    assert (keeper.turns()[0].answer, keeper.turns()[0].state) == ("Sepsis is", TurnState.ANSWERING)


def test_what_a_dead_engine_said_is_void(keeper: Keeper) -> None:
    turn = begin(keeper)
    keeper.hear(Said(turn, "void", 1))
    keeper.hear(EngineRestarted("died", turn))
    keeper.hear(Said(turn, "again", 1))
    keeper.flush()
    assert keeper.turns()[0].answer == "again"


def test_end_is_kept_whole(keeper: Keeper) -> None:
    turn = begin(keeper)
    keeper.hear(Ended(turn, TurnState.DONE, "yes.", "yes", {"yes": 1.0}, TIMINGS))
    kept = keeper.turns()[0]
    assert (kept.answer, kept.label, kept.label_probs, kept.timings) == ("yes.", "yes", {"yes": 1.0}, TIMINGS)
    assert not keeper.behind


def test_full_disk_is_told_and_nothing_is_raised(
    keeper: Keeper, troubles: list[MedloraError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store, *args: object, **options: object) -> None:
        raise ResourceError("the disk is full")

    turn = begin(keeper)
    monkeypatch.setattr(Store, "save_answer", full)
    monkeypatch.setattr(Store, "end", full)
    keeper.hear(Said(turn, "text", 1))
    keeper.flush()
    keeper.hear(Ended(turn, TurnState.DONE, "text"))
    assert [error.what for error in troubles] == ["the disk is full"] * 2
