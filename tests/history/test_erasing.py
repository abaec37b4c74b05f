"""Delete means delete: no page of the file or its log holds a deleted text, whoever has the key."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from medlora_edge.errors import ResourceError
from medlora_edge.history import Store, TurnState
from tests.history.children import Acknowledge, file_size_limit, in_child
from tests.history.pages import decrypted
from tests.history.support import begin, data_key, keep, reopen

MARKERS = ("xylophagous", "quetzalcoatl", "brobdingnagian")


def fill(store: Store) -> int:
    """A chat with a marker in title, question and answer, between others that fill the same pages."""
    for number in range(20):
        other = store.new_chat("model", "0")
        begin(store, other.id, f"kept question {number}")
    chat = store.new_chat("model", "0").id
    store.rename(chat, MARKERS[0])
    turn = begin(store, chat, f"why {MARKERS[1]}?").id
    for length in range(1, 40):
        store.save_answer(turn, f"{MARKERS[2]} " * length * 10)
    store.end(turn, TurnState.DONE, f"{MARKERS[2]} " * 400)
    begin(store, store.new_chat("model", "0").id, "kept to the end")
    return chat


def visible(folder: Path) -> list[str]:
    content = decrypted(folder / "chats.db", data_key(folder))
    assert b"kept question" in content, "the pages are decrypted"
    # The index leaves out what a word shares with the one before it: its end gives it away.
    return [marker for marker in MARKERS if marker[-7:].encode() in content]


def test_a_text_not_deleted_is_seen(folder: Path) -> None:
    store, _ = keep(folder)
    fill(store)
    store.close()
    assert visible(folder) == list(MARKERS)


def test_nothing_is_left_of_a_deleted_chat(folder: Path) -> None:
    store, _ = keep(folder)
    chat = fill(store)
    assert store.search(MARKERS[1])
    store.finish_erasing()
    size = (folder / "chats.db").stat().st_size
    store.delete(chat)
    assert visible(folder) == [], "while the store is still open"
    assert (folder / "chats.db").stat().st_size < size, "its room is given back"
    store.close()
    assert visible(folder) == []


def test_nothing_is_left_in_the_inner_nodes_of_the_index(folder: Path) -> None:
    """FTS5 keeps dropped words there, even in its secure-delete mode, when many turns came and went."""
    chance = random.Random(8)
    store, _ = keep(folder)
    chats = [store.new_chat("model", "0").id for _ in range(12)]
    erased = chance.sample(chats, 3)
    for _ in range(80):
        chat = chance.choice(chats)
        word = f"{MARKERS[0]} " if chat in erased else "kept question "
        turn = begin(store, chat, word * chance.randint(1, 60)).id
        for _ in range(chance.randint(0, 3)):
            store.save_answer(turn, word * chance.randint(1, 900))
        store.end(turn, TurnState.DONE, word * chance.randint(1, 900))
    assert visible(folder) == [MARKERS[0]]
    for chat in erased:
        store.delete(chat)
    store.close()
    assert visible(folder) == []


@pytest.mark.parametrize("marker", MARKERS)
def test_a_deleted_chat_is_not_found(folder: Path, marker: str) -> None:
    store, _ = keep(folder)
    with store:
        chat = fill(store)
        store.delete(chat)
        assert store.search(marker) == ()
        assert len(store.search("kept")) == 21


def test_a_replaced_title_leaves_the_index(folder: Path) -> None:
    store, _ = keep(folder)
    with store:
        chat = fill(store)
        store.rename(chat, "harmless")
        assert store.search(MARKERS[0]) == ()


@pytest.fixture
def filled(folder: Path) -> tuple[Path, int]:
    with keep(folder)[0] as store:
        chat = fill(store)
    reopen(folder).close()  # marks the turns that have no end, so that a delete is the next thing to write
    return folder, chat


def test_an_erasure_without_room_on_the_disk_is_finished_by_the_next_opening(
    filled: tuple[Path, int], tmp_path: Path
) -> None:
    folder, chat = filled
    cut_short = 0
    for room in range(4_000, 240_000, 12_000):
        place = tmp_path / f"{room}"
        shutil.copytree(folder, place)
        with reopen(place) as store, file_size_limit(room), suppress(ResourceError):
            store.delete(chat)
            break
        with reopen(place) as store:
            gone = chat not in [kept.id for kept in store.chats()]
        cut_short += gone
        assert visible(place) == ([] if gone else list(MARKERS))
    assert cut_short, "in some cases the rows were deleted and the file not rewritten"
    assert visible(place) == []


def test_an_erasure_that_was_killed_is_finished_by_the_next_opening(filled: tuple[Path, int], tmp_path: Path) -> None:
    folder, chat = filled
    cut_short, killed = 0, True
    for size in range(4_000, 240_000, 12_000):
        place = tmp_path / f"{size}"
        shutil.copytree(folder, place)

        def delete(acknowledge: Acknowledge, place: Path = place) -> None:
            with reopen(place) as store:
                acknowledge("open")
                store.delete(chat)

        acknowledged, killed = in_child(delete, die_at_size=size)
        assert acknowledged == ["open"]
        with reopen(place) as store:
            gone = chat not in [kept.id for kept in store.chats()]
        cut_short += gone and killed
        assert visible(place) == ([] if gone else list(MARKERS))
        if not killed:
            break
    assert cut_short
    assert not killed
