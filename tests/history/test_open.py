"""Keeping, unlocking and recovering chats; what is refused, and in which words."""

import os
import stat
import sys
from pathlib import Path

import pytest

from medlora_edge.errors import CorruptError, ExitCode, InUseError, UsageError
from medlora_edge.history import create, database, exists, has_cipher, keys, private, recover, unlock, wait_seconds
from tests.history.children import Acknowledge, in_child
from tests.history.conftest import Clock
from tests.history.support import CHEAP, PASSPHRASE, begin, data_key, keep, reopen

NEW = "another passphrase"


def test_kept_chats_open_with_the_passphrase(folder: Path) -> None:
    assert not exists(folder)
    with keep(folder)[0] as store:
        begin(store, store.new_chat("starter", "0").id, "is it kept?")
    assert exists(folder)
    with reopen(folder) as store:
        assert store.turns(1)[0].question.question == "is it kept?"


def test_nothing_readable_is_on_the_disk(folder: Path) -> None:
    store, code = keep(folder)
    chat = store.new_chat("a model name", "0")
    store.rename(chat.id, "Xylophagous title")
    begin(store, chat.id, "xylophagous question")
    store.save_draft("xylophagous draft")
    secrets = (b"xylophagous", b"a model name", b"CREATE TABLE", b"SQLite", PASSPHRASE.encode(), code.encode())
    files = [file.read_bytes().lower() for file in folder.iterdir()]
    assert (folder / "chats.db-wal").stat().st_size
    assert [secret for secret in secrets for content in files if secret.lower() in content] == []
    assert [
        secret for secret in (data_key(folder), data_key(folder).hex().encode()) for file in files if secret in file
    ] == []
    store.close()


def test_private_chats_touch_no_disk(folder: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with private() as store:
        begin(store, store.new_chat("starter", "0").id, "word " * 10_000)
        store.search("word")
        store.delete(1)
    assert list(tmp_path.iterdir()) == []


def test_folder_and_files_are_the_owners_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        with keep(folder)[0] as store:
            store.new_chat("starter", "0")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("chats.db", "chats.db-wal", "keys.json", "keys.copy.json", ".lock"), 0o600)


def test_what_is_kept_is_never_replaced(folder: Path) -> None:
    keep(folder)[0].close()
    before = (folder / "chats.db").read_bytes()
    for name in (keys.NAME, keys.COPY, "nothing"):
        with pytest.raises(UsageError, match="kept here already"):
            keep(folder)
        (folder / name).unlink(missing_ok=True)
    assert (folder / "chats.db").read_bytes() == before


def test_nothing_kept_is_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="no chats are kept"):
        unlock(folder, PASSPHRASE)


def test_a_short_passphrase_keeps_nothing(folder: Path) -> None:
    with pytest.raises(UsageError, match="too short"):
        create(folder, "short", cost=CHEAP)
    assert not folder.exists()


# --- wrong passphrase ----------------------------------------------------------------------------------------


def wrong(folder: Path, passphrase: str) -> str:
    with pytest.raises(UsageError) as caught:
        unlock(folder, passphrase)
    return str(caught.value)


def test_a_wrong_passphrase_gives_no_hint(folder: Path, clock: Clock) -> None:
    keep(folder)[0].close()
    said = set()
    for guess in ("", "x", PASSPHRASE[:-1], PASSPHRASE.upper(), "nothing like it at all"):
        (folder / "attempts.json").unlink(missing_ok=True)
        said.add(wrong(folder, guess))
    assert len(said) == 1


def test_pauses_grow_to_a_minute_and_no_further(folder: Path, clock: Clock) -> None:
    keep(folder)[0].close()
    pauses = []
    for _ in range(9):
        wrong(folder, "a wrong one")
        pauses.append(wait_seconds(folder))
        clock.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert wait_seconds(folder) == 0


def test_even_the_right_passphrase_waits(folder: Path, clock: Clock) -> None:
    keep(folder)[0].close()
    wrong(folder, "a wrong one")
    assert "too soon" in wrong(folder, PASSPHRASE)
    clock.now += 1
    reopen(folder).close()
    assert wait_seconds(folder) == 0, "and is forgiven"


def test_a_killed_attempt_counts(folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(folder)[0].close()

    def attempt(acknowledge: Acknowledge) -> None:
        monkeypatch.setattr(keys.Slot, "unseal", lambda *_: os.kill(os.getpid(), 9))
        unlock(folder, "a wrong one")

    assert in_child(attempt)[1]
    assert wait_seconds(folder) == 1


def test_a_clock_set_back_locks_nobody_out(folder: Path, clock: Clock) -> None:
    keep(folder)[0].close()
    wrong(folder, "a wrong one")
    clock.now -= 1e9
    with reopen(folder) as store:
        assert store.damage is None


@pytest.mark.parametrize("content", [b"", b"[]", b"[1e999, 0]", b'[-3, "x"]', b"[1, NaN]", b"\xff", b"[" * 100_000])
def test_a_damaged_count_locks_nobody_out(folder: Path, content: bytes) -> None:
    keep(folder)[0].close()
    (folder / "attempts.json").write_bytes(content)
    with reopen(folder) as store:
        assert store.damage is None


# --- recovery ------------------------------------------------------------------------------------------------


def test_the_recovery_code_sets_a_new_passphrase(folder: Path, clock: Clock) -> None:
    store, code = keep(folder)
    store.new_chat("starter", "0")
    store.close()
    with recover(folder, code.lower(), NEW, cost=CHEAP) as recovered:
        assert len(recovered.chats()) == 1
    unlock(folder, NEW).close()
    wrong(folder, PASSPHRASE)
    clock.now += 1
    recover(folder, code, PASSPHRASE, cost=CHEAP).close()
    reopen(folder).close()


def test_a_wrong_code_changes_nothing(folder: Path, clock: Clock) -> None:
    keep(folder)[0].close()
    with pytest.raises(UsageError, match="recovery code does not open"):
        recover(folder, keys.new_recovery_code(), NEW, cost=CHEAP)
    clock.now += 1
    reopen(folder).close()


# --- two at once, versions, no cipher -------------------------------------------------------------------------


def test_a_second_instance_is_told(folder: Path) -> None:
    with keep(folder)[0], pytest.raises(InUseError) as caught:
        reopen(folder)
    assert caught.value.code is ExitCode.IN_USE
    reopen(folder).close()


def test_an_instance_in_another_process_is_seen(folder: Path) -> None:
    with keep(folder)[0]:

        def second(acknowledge: Acknowledge) -> None:
            try:
                reopen(folder)
            except InUseError:
                acknowledge("in use")

        assert in_child(second) == (["in use"], False)


def test_the_database_itself_is_held_too(folder: Path) -> None:
    """Where the system has no lock files."""
    with keep(folder)[0], pytest.raises(InUseError):
        database.connect(folder / "chats.db", data_key(folder))


def test_chats_of_a_newer_version_are_refused_and_left_alone(folder: Path) -> None:
    keep(folder)[0].close()
    db = database.connect(folder / "chats.db", data_key(folder))
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = (folder / "chats.db").read_bytes()
    with pytest.raises(UsageError, match="newer version"):
        reopen(folder)
    assert (folder / "chats.db").read_bytes() == before


def test_chats_of_an_older_version_are_brought_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keep(folder)[0] as store:
        begin(store, store.new_chat("starter", "0").id)
    step = "CREATE TABLE later (id INTEGER PRIMARY KEY);\nINSERT INTO later\nVALUES (7);\n"
    scripts = (*database._scripts(), step)
    monkeypatch.setattr(database, "_scripts", lambda: scripts)
    reopen(folder).close()
    with reopen(folder) as store:
        assert len(store.turns(1)) == 1
    db = database.connect(folder / "chats.db", data_key(folder))
    assert db.execute("SELECT id FROM later").fetchall() == [(7,)], "once, not at every opening"
    db.close()


def test_an_update_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keep(folder)[0] as store:
        begin(store, store.new_chat("starter", "0").id)
    step = "DROP TABLE turn;\nINSERT INTO nowhere VALUES (1);\n"
    scripts = (*database._scripts(), step)
    monkeypatch.setattr(database, "_scripts", lambda: scripts)
    with pytest.raises(database.driver().Error, match="nowhere"):
        reopen(folder)
    monkeypatch.undo()
    with reopen(folder) as store:
        assert len(store.turns(1)) == 1


def test_without_the_cipher_chats_are_private_never_plain(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(folder)[0].close()
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    monkeypatch.setitem(sys.modules, "sqlcipher3.dbapi2", None)
    database.driver.cache_clear()
    try:
        assert not has_cipher()
        with pytest.raises(UsageError, match="SQLCipher"):
            keep(folder.with_name("other"))
        with pytest.raises(UsageError, match="SQLCipher"):
            reopen(folder)
        assert not folder.with_name("other").exists()
        with private() as store:
            begin(store, store.new_chat("starter", "0").id)
            assert len(store.search("hurt")) == 1
    finally:
        database.driver.cache_clear()


def test_an_unencrypted_database_is_not_opened(folder: Path) -> None:
    import sqlite3

    keep(folder)[0].close()
    (folder / "chats.db").unlink()
    plain = sqlite3.connect(folder / "chats.db")
    plain.execute("CREATE TABLE chat (id)")
    plain.commit()
    plain.close()
    with pytest.raises(CorruptError):
        reopen(folder)
