"""A full disk: a ResourceError in words, nothing kept is lost, and work goes on once there is room again."""

from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode, ResourceError
from medlora_edge.history import Store, TurnState, create, exists
from tests.history.children import file_size_limit
from tests.history.support import CHEAP, PASSPHRASE, begin, keep, reopen


def stream(store: Store, turn: int, answers: list[str]) -> str:
    """Save answers until the disk is full; the last one kept."""
    kept = ""
    for answer in answers:
        try:
            store.save_answer(turn, answer)
        except ResourceError as error:
            assert error.code is ExitCode.RESOURCES
            assert "free space" in str(error)
            return kept
        kept = answer
    raise AssertionError("the disk was never full")


@pytest.mark.parametrize("room", [0, 5_000, 20_000, 100_000])
def test_full_while_an_answer_streams(folder: Path, room: int) -> None:
    answers = ["long " * 500 * length for length in range(1, 40)]
    store, _ = keep(folder)
    turn = begin(store, store.new_chat("model", "0").id).id
    store.save_answer(turn, "before")
    used = (folder / "chats.db-wal").stat().st_size
    with file_size_limit(used + room):
        kept = stream(store, turn, answers) or "before"
        assert store.turns(1)[0].answer == kept, "what was there can still be read"
    store.end(turn, TurnState.DONE, "whole")
    assert store.turns(1)[0].answer == "whole", "it goes on when there is room"
    store.close()
    with reopen(folder) as again:
        assert again.turns(1)[0].answer == "whole"


def test_a_full_disk_does_not_keep_the_owner_out(folder: Path) -> None:
    store, _ = keep(folder)
    begin(store, store.new_chat("model", "0").id)
    store.close()
    with file_size_limit(0), reopen(folder) as again:
        assert len(again.turns(1)) == 1
        with pytest.raises(ResourceError):
            again.save_draft("no room")


@pytest.mark.parametrize("room", [0, 300, 5_000, 30_000])
def test_chats_begin_to_be_kept_whole_or_not_at_all(folder: Path, room: int) -> None:
    with file_size_limit(room), pytest.raises(ResourceError):
        create(folder, PASSPHRASE, cost=CHEAP)
    assert not exists(folder)
    assert list(folder.parent.glob(".history*")) == []
    keep(folder)[0].close()


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError):
        create(tmp_path / "file" / "history", PASSPHRASE, cost=CHEAP)
