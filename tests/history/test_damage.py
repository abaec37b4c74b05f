"""A damaged database opens for reading as far as it goes, or says that it does not; it is never replaced."""

import shutil
from pathlib import Path

import pytest

from medlora_edge.errors import CorruptError, ExitCode
from medlora_edge.history import Store, Turn, TurnState
from tests.history.pages import FRAME_HEADER, PAGE, WAL_HEADER
from tests.history.support import begin, keep, reopen

CHATS, TURNS = 12, 5


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Turn]]:
    folder = tmp_path_factory.mktemp("original") / "history"
    with keep(folder)[0] as store:
        for _ in range(CHATS):
            chat = store.new_chat("starter", "0").id
            store.rename(chat, f"title {chat}")
            for number in range(TURNS):
                turn = begin(store, chat, f"question {number} of {chat}")
                store.end(turn.id, TurnState.DONE, f"answer {number} of {chat} " * 60)
        return folder, all_turns(store)


@pytest.fixture
def whole(original: tuple[Path, dict[int, Turn]], folder: Path) -> dict[int, Turn]:
    """Kept turns by id; their store lies closed in `folder`."""
    shutil.copytree(original[0], folder)
    return original[1]


def all_turns(store: Store) -> dict[int, Turn]:
    return {turn.id: turn for chat in store.chats() for turn in store.turns(chat.id)}


def damaged(folder: Path, content: bytes) -> Store | None:
    """What opens of the chats when the database is `content`; the file stays as it is."""
    database = folder / "chats.db"
    database.write_bytes(content)
    try:
        store = reopen(folder)
    except CorruptError as error:
        assert error.code is ExitCode.CORRUPT
        assert "what to do" in str(error)
        store = None
    assert database.read_bytes() == content
    return store


def test_a_flipped_bit_in_any_page(folder: Path, whole: dict[int, Turn]) -> None:
    content = (folder / "chats.db").read_bytes()
    read = []
    for page in range(len(content) // PAGE):
        flipped = bytearray(content)
        flipped[page * PAGE + (page * 397) % PAGE] ^= 4
        store = damaged(folder, bytes(flipped))
        if store is None:
            read.append(0)
            continue
        with store:
            assert store.damage
            turns = all_turns(store)
            assert turns.items() <= whole.items(), "what is read is as it was"
            read.append(len(turns))
    assert read[0] == 0, "without the first page there is nothing"
    assert read.count(len(whole)) > len(read) / 4, "damage to the index or one chat costs no other turn"
    assert sum(count > 0 for count in read) >= len(read) - 3


def test_damage_while_a_log_is_left(folder: Path, whole: dict[int, Turn], tmp_path: Path) -> None:
    place = tmp_path / "killed"
    with reopen(folder) as store:
        late = begin(store, 1, "in the log alone")
        shutil.copytree(folder, place)
    content = bytearray((place / "chats.db").read_bytes())
    content[len(content) // 2] ^= 1
    (place / "chats.db").write_bytes(content)
    with reopen(place) as store:
        assert store.damage
        assert late.id in all_turns(store)


def test_a_page_torn_by_a_power_cut_is_healed_by_the_log(folder: Path, whole: dict[int, Turn], tmp_path: Path) -> None:
    place = tmp_path / "power cut"
    with reopen(folder) as store:
        late = begin(store, 1, "in the log and being copied to the file")
        shutil.copytree(folder, place)
    log = (place / "chats.db-wal").read_bytes()
    content = bytearray((place / "chats.db").read_bytes())
    for frame in range(WAL_HEADER, len(log), FRAME_HEADER + PAGE):
        page = int.from_bytes(log[frame : frame + 4], "big")
        content[(page - 1) * PAGE + 100 : page * PAGE] = log[frame + FRAME_HEADER + 100 : frame + FRAME_HEADER + PAGE]
    (place / "chats.db").write_bytes(content)
    with reopen(place) as store:
        assert store.damage is None
        assert len(all_turns(store)) == len(whole) + 1
        assert store.interrupted()[0].id == late.id


def test_the_cipher_writes_nothing_to_the_terminal(
    folder: Path, whole: dict[int, Turn], capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((folder / "chats.db").read_bytes())
    content[5 * PAGE] ^= 1
    for damage in (bytes(content), b"\x00" * 8192):
        if store := damaged(folder, damage):
            store.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("keep_share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("unit", [1, PAGE])
def test_cut_short(folder: Path, whole: dict[int, Turn], keep_share: float, unit: int) -> None:
    content = (folder / "chats.db").read_bytes()
    size = int(len(content) * keep_share) // unit * unit
    store = damaged(folder, content[:size])
    if store is None:
        assert keep_share < 0.5
        return
    with store:
        assert store.damage
        assert all_turns(store).items() <= whole.items()
        assert all_turns(store) or keep_share < 0.9


@pytest.mark.parametrize("garbage", [b"SQLite format 3\x00" + b"\x00" * 8176, b"\x00" * 8192, b"text" * 4000])
def test_another_file_in_its_place(folder: Path, whole: dict[int, Turn], garbage: bytes) -> None:
    assert damaged(folder, garbage) is None


def test_a_database_that_is_gone(folder: Path, whole: dict[int, Turn]) -> None:
    (folder / "chats.db").unlink()
    with pytest.raises(CorruptError, match="missing"):
        reopen(folder)
    assert not (folder / "chats.db").exists()


def test_a_page_from_another_time(folder: Path, whole: dict[int, Turn]) -> None:
    """A disk that gave back old pages: each is genuine, together they are not. Seen after a death."""
    before = (folder / "chats.db").read_bytes()
    with reopen(folder) as store:
        for chat in range(1, CHATS, 2):
            store.delete(chat)
    after = bytearray((folder / "chats.db").read_bytes())
    half = len(after) // PAGE // 2 * PAGE
    after[half:] = before[half : len(after)]
    (folder / "chats.db").write_bytes(after)
    (folder / "chats.db-wal").touch()
    with reopen(folder) as store:
        assert store.damage


def test_what_opened_damaged_is_for_reading_only(folder: Path, whole: dict[int, Turn]) -> None:
    content = bytearray((folder / "chats.db").read_bytes())
    content[-PAGE // 2] ^= 1
    store = damaged(folder, bytes(content))
    assert store
    with store:
        for write in (
            lambda: store.new_chat("starter", "0"),
            lambda: begin(store, 1),
            lambda: store.delete(1),
            lambda: store.save_draft("draft"),
        ):
            with pytest.raises(CorruptError, match="reading only"):
                write()
        assert store.interrupted() == ()
        assert store.search("question")


def test_turns_whose_chat_is_lost_are_still_shown(folder: Path, whole: dict[int, Turn]) -> None:
    content = (folder / "chats.db").read_bytes()
    lost = []
    for page in range(1, len(content) // PAGE):
        flipped = bytearray(content)
        flipped[page * PAGE + 50] ^= 4
        store = damaged(folder, bytes(flipped))
        if store:
            with store:
                lost += [chat for chat in store.chats() if chat.title == "(title lost)" and chat.turns]
    assert lost
