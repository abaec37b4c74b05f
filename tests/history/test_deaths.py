"""kill -9 at any moment: whatever a call returned for is there, and the file is whole."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import UsageError
from medlora_edge.history import TurnState, create, exists, private
from tests.history.children import Acknowledge, in_child
from tests.history.support import CHEAP, PASSPHRASE, begin, keep, reopen

ANSWERS = [f"{'word ' * 300 * length}{length}" for length in range(1, 5)]
ENDED = "ended"


def ask(folder: Path, acknowledge: Acknowledge) -> None:
    """One question as the app keeps it; each step is acknowledged when its call has returned."""
    with reopen(folder) as store:
        acknowledge("open")
        turn = begin(store, 1)
        acknowledge("begun")
        for answer in ANSWERS:
            store.save_answer(turn.id, answer)
            acknowledge(answer)
        store.end(turn.id, TurnState.DONE, ANSWERS[-1] + ENDED, timings=Timings(generated_tokens=9))
        acknowledge(ENDED)


def check(folder: Path, acknowledged: list[str]) -> None:
    """All that was acknowledged is there, or the next step, which was under way."""
    steps = ["open", "begun", *ANSWERS, ENDED]
    assert acknowledged == steps[: len(acknowledged)]
    with reopen(folder) as store:
        assert store.damage is None
        turns = store.turns(1)
        reached = ["open"]
        if turns:
            reached = [
                "open",
                "begun",
                *ANSWERS[: ANSWERS.index(turns[0].answer) + 1 if turns[0].answer in ANSWERS else 0],
            ]
            if turns[0].state is TurnState.DONE:
                reached = steps
                assert turns[0].answer == ANSWERS[-1] + ENDED
                assert turns[0].timings == Timings(generated_tokens=9)
            else:
                assert turns[0].state is TurnState.INTERRUPTED
                assert store.interrupted() == turns
                assert [hit.turn for hit in store.search("hurt")] == [turns[0].id]
        assert len(acknowledged) <= len(reached) <= len(acknowledged) + 1


@pytest.fixture
def begun(folder: Path) -> Path:
    with keep(folder)[0] as store:
        store.new_chat("model", "0")
    return folder


@pytest.mark.parametrize("steps", range(1, 8))
def test_killed_after_any_step(begun: Path, steps: int) -> None:
    acknowledged, _ = in_child(partial(ask, begun), kill_after=steps)
    check(begun, acknowledged)


def test_killed_in_the_middle_of_any_write(begun: Path, tmp_path: Path) -> None:
    deaths = 0
    for size in range(1_000, 400_000, 6_007):
        place = tmp_path / f"{size}" / "history"
        shutil.copytree(begun, place)
        acknowledged, killed = in_child(partial(ask, place), die_at_size=size)
        if not killed:
            break
        deaths += 1
        if acknowledged or (place / "chats.db-wal").exists():
            check(place, acknowledged or ["open"])
    assert deaths > 10
    assert acknowledged[-1] == ENDED


def test_killed_while_chats_begin_to_be_kept(tmp_path: Path) -> None:
    """The folder is there whole or not at all, and a new try succeeds."""
    deaths = 0
    for size in [0, 100, 600, *range(1_000, 200_000, 9_001)]:
        folder = tmp_path / f"{size}" / "history"

        def create_one(acknowledge: Acknowledge, folder: Path = folder) -> None:
            with private() as store:
                begin(store, store.new_chat("model", "0").id)
                create(folder, PASSPHRASE, keep=store, cost=CHEAP)[0].close()
            acknowledge("created")

        acknowledged, killed = in_child(create_one, die_at_size=size)
        deaths += killed
        if exists(folder):
            with reopen(folder) as store:
                assert len(store.turns(1)) == 1
        else:
            assert killed
            with pytest.raises(UsageError, match="no chats are kept here"):
                reopen(folder)
            keep(folder)[0].close()
        if acknowledged:
            break
    assert deaths > 5


def test_a_log_torn_anywhere_opens_at_an_earlier_moment(begun: Path, tmp_path: Path) -> None:
    """As a power cut leaves it: what was written last may be missing, never half there."""
    copies = tmp_path / "copies"
    with reopen(begun) as store:
        turn = begin(store, 1)
        for answer in ANSWERS:
            store.save_answer(turn.id, answer)
        shutil.copytree(begun, copies)
    log = (copies / "chats.db-wal").read_bytes()
    seen: set[str] = set()
    for size in range(0, len(log), 3_001):
        place = tmp_path / f"torn{size}"
        shutil.copytree(copies, place)
        (place / "chats.db-wal").write_bytes(log[:size])
        with reopen(place) as torn:
            assert torn.damage is None
            seen.update(found.answer for found in torn.turns(1))
    assert {*ANSWERS[:2]} <= seen <= {"", *ANSWERS}


def test_a_turn_that_ended_is_not_interrupted(begun: Path) -> None:
    with reopen(begun) as store:
        turn = begin(store, 1)
        store.end(turn.id, TurnState.STOPPED, "partial")
    with reopen(begun) as store:
        assert store.interrupted() == ()
        assert store.turns(1)[0].state is TurnState.STOPPED
