"""What is said is kept: question first, answer while it is said, end at once; and a full disk is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medlora_edge import history
from medlora_edge.errors import MedloraError, ResourceError
from medlora_edge.history import Store, TurnState
from medlora_edge.tui.keeping.draft import Draft, read
from medlora_edge.tui.keeping.keeper import Keeper
from medlora_edge.tui.session.events import Ended, EngineRestarted, Said, Verdict
from tests.history.support import keep, reopen
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


def test_verdict_is_kept_at_once_and_outlives_the_engine(keeper: Keeper) -> None:
    turn = begin(keeper)
    keeper.hear(Verdict(turn, "yes", {"yes": 0.8, "no": 0.2}))
    keeper.hear(EngineRestarted("died", turn))
    kept = keeper.turns()[0]
    assert (kept.label, kept.label_probs, kept.state) == ("yes", {"yes": 0.8, "no": 0.2}, TurnState.WAITING)


def test_end_is_kept_whole(keeper: Keeper) -> None:
    turn = begin(keeper)
    keeper.hear(Ended(turn, TurnState.DONE, "yes.", "yes", {"yes": 1.0}, TIMINGS))
    kept = keeper.turns()[0]
    assert (kept.answer, kept.label, kept.label_probs, kept.timings) == ("yes.", "yes", {"yes": 1.0}, TIMINGS)
    assert not keeper.behind


def test_full_disk_is_told_once_and_all_is_kept_when_there_is_room_again(
    keeper: Keeper, troubles: list[MedloraError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store, *args: object, **options: object) -> None:
        raise ResourceError("the disk is full")

    turn = begin(keeper)
    with monkeypatch.context() as disk:
        for change in ("save_answer", "end", "save_draft"):
            disk.setattr(Store, change, full)
        keeper.hear(Said(turn, "text", 1))
        keeper.draft = Draft(text="next")
        keeper.flush()
        keeper.hear(Ended(turn, TurnState.DONE, "text"))
        keeper.flush()
        assert [error.what for error in troubles] == ["the disk is full"]
        assert keeper.behind
    keeper.flush()
    assert not keeper.behind
    assert (keeper.turns()[0].answer, keeper.turns()[0].state) == ("text", TurnState.DONE)
    assert read(keeper.store.draft()).text == "next"


def test_draft_is_kept_and_one_of_nothing_is_none(keeper: Keeper) -> None:
    keeper.draft = Draft("pubmedqa", "Does it?", "An abstract.", 3)
    keeper.flush()
    assert read(keeper.store.draft()) == keeper.draft
    keeper.draft = Draft("pubmedqa")
    assert keeper.behind
    keeper.flush()
    assert keeper.store.draft() == ""


def test_question_that_is_kept_is_the_draft_no_longer(keeper: Keeper) -> None:
    keeper.draft = Draft(text="What is sepsis?\nAnd the next")
    keeper.flush()
    turn = keeper.begin("ask", question("What is sepsis?"), model="tiny", sha256="ab", typed="What is sepsis?")
    assert read(keeper.store.draft()) == Draft(text="And the next", chat=turn.chat)
    assert not keeper.behind


def test_another_store_takes_over_in_the_middle_of_an_answer(keeper: Keeper, tmp_path: Path) -> None:
    turn = begin(keeper)
    keeper.hear(Said(turn, "Sepsis ", 1))
    keeper.move(lambda private: keep(tmp_path / "history", keep=private)[0])
    assert keeper.turns()[0].answer == "Sepsis "
    keeper.hear(Said(turn, "is", 2))
    keeper.hear(Ended(turn, TurnState.DONE, "Sepsis is"))
    keeper.close()
    with reopen(tmp_path / "history") as store:
        assert store.turns(1)[0].answer == "Sepsis is"


def test_store_that_cannot_be_made_changes_nothing(keeper: Keeper) -> None:
    def refuse(_: Store) -> Store:
        raise ResourceError("no room")

    turn, before = begin(keeper), keeper.store
    with pytest.raises(ResourceError):
        keeper.move(refuse)
    assert keeper.store is before
    keeper.hear(Ended(turn, TurnState.DONE, "text"))
    assert keeper.turns()[0].answer == "text"


def test_what_is_said_after_the_close_is_not_heard(keeper: Keeper, troubles: list[MedloraError]) -> None:
    turn = begin(keeper)
    keeper.close()
    keeper.hear(Said(turn, "text", 1))
    keeper.hear(Ended(turn, TurnState.DONE, "text"))
    keeper.flush()
    assert not troubles


def test_store_for_reading_only_is_asked_for_nothing(keeper: Keeper, troubles: list[MedloraError]) -> None:
    keeper.store.damage = "a page is lost"
    keeper.draft = Draft(text="next")
    keeper.flush()
    assert not troubles
    assert not keeper.behind
