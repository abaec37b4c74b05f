"""The chats: one connection behind one lock. Every change is on disk when its method returns."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Self

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.history import copying, index, rows
from medlora_edge.history.database import MEND, explained, transaction
from medlora_edge.history.records import Chat, Hit, Setting, TaskName, Turn, TurnState
from medlora_edge.tasks import Question


class Store:
    """Open chats. Thread-safe; methods raise ResourceError on a full disk (what was kept stays), CorruptError, and
    UsageError for a chat that is not there or after `close`.

    `damage` says what is wrong with a store that opened for reading only.
    """

    def __init__(self, db: sqlite3.Connection, where: str, *, damage: str | None = None) -> None:
        self._db: sqlite3.Connection | None = db
        self._where = where
        self.damage = damage
        self._lock = RLock()
        self._hold = ExitStack()
        self._interrupted: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- chats ------------------------------------------------------------------------------------------------

    def new_chat(self, model: str, model_sha256: str) -> Chat:
        """Begin a chat without title or turns."""
        insert = """INSERT INTO chat (title, created, updated, model, model_sha256, used)
            VALUES ('', ?1, ?1, ?2, ?3, (SELECT coalesce(max(used), 0) + 1 FROM chat))"""
        with self._writing() as db:
            number = db.execute(insert, (rows.now(), rows.text(model), model_sha256)).lastrowid
            return rows.chat(db.execute(f"{rows.CHATS} WHERE id = ?", (number,)).fetchone())

    def chats(self) -> tuple[Chat, ...]:
        """Every chat, the last used first, whatever the clock said."""
        with self._reading() as db:
            return tuple(rows.chat(row) for row in db.execute(f"{rows.CHATS} ORDER BY used DESC").fetchall())

    def chat(self, chat: int) -> Chat:
        """One chat."""
        with self._reading() as db:
            row = db.execute(f"{rows.CHATS} WHERE id = ?", (chat,)).fetchone()
        if row is None:
            raise _no_chat(chat)
        return rows.chat(row)

    def turns(self, chat: int) -> tuple[Turn, ...]:
        """Turns of a chat in the order they were asked, whatever the clock said."""
        with self._reading() as db:
            found = db.execute(f"{rows.TURNS} WHERE chat = ? ORDER BY id", (chat,)).fetchall()
        return tuple(rows.turn(row) for row in found)

    def rename(self, chat: int, title: str) -> None:
        """Give a chat a title: one line, cleaned and cut to 200 characters."""
        with self._writing() as db:
            renamed = db.execute("UPDATE chat SET title = ? WHERE id = ?", (rows.title(title), chat))
            if not renamed.rowcount:
                raise _no_chat(chat)
            index.add_title(db, chat)

    def delete(self, chat: int) -> None:
        """Erase a chat: rows, index entries and their bytes in file and write-ahead log.

        On ResourceError the chat may be gone already and only the file not yet rewritten: the next opening does that.
        """
        with self._lock:
            with self._writing() as db:
                index.drop(db, chat)
                db.execute("DELETE FROM chat WHERE id = ?", (chat,))
                db.execute("UPDATE desk SET erase_due = 1")
            self.finish_erasing()

    def finish_erasing(self) -> None:
        """Rewrite the file without what was deleted, if that is due, and empty the write-ahead log."""
        with self._reading() as db:
            if db.execute("SELECT erase_due FROM desk").fetchone() == (1,):
                index.rebuild(db)
                db.execute("VACUUM")
                db.execute("UPDATE desk SET erase_due = 0")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # --- turns ------------------------------------------------------------------------------------------------

    def begin(
        self,
        chat: int,
        task: TaskName,
        question: Question,
        *,
        model_sha256: str,
        prompts_sha256: str,
        model: str = "",
        settings: Mapping[str, Setting] | None = None,
        retry_of: int | None = None,
        draft: str | None = None,
    ) -> Turn:
        """Keep a question before anything is computed for it; with it, at one stroke, the `draft` that is left."""
        insert = """INSERT INTO turn
            (chat, task, question, answer, state, label_probs, retry_of, asked, model_sha256, prompts_sha256,
            model, settings)
            VALUES (?, ?, ?, '', 'waiting', '{}', (SELECT id FROM turn WHERE id = ?), ?, ?, ?, ?, ?)"""
        use = "UPDATE chat SET updated = ?, used = (SELECT max(used) + 1 FROM chat) WHERE id = ?"
        now, asked, asked_with = rows.now(), rows.question_json(question), rows.mapping_json(settings or {})
        with self._writing() as db:
            if not db.execute(use, (now, chat)).rowcount:
                raise _no_chat(chat)
            values = (chat, task, asked, retry_of, now, model_sha256, prompts_sha256, rows.text(model), asked_with)
            turn = db.execute(insert, values).lastrowid
            assert turn is not None  # noqa: S101 - an INSERT has one
            index.add_turn(db, turn)
            if draft is not None:
                db.execute("UPDATE desk SET draft = ?", (rows.text(draft),))
            return rows.turn(db.execute(f"{rows.TURNS} WHERE id = ?", (turn,)).fetchone())

    def save_answer(self, turn: int, answer: str) -> None:
        """Keep what was said so far; nothing happens to a turn that has ended or was deleted."""
        update = "UPDATE turn SET answer = ?, state = 'answering' WHERE id = ? AND state IN ('waiting', 'answering')"
        with self._writing() as db:
            db.execute(update, (rows.text(answer), turn))

    def save_verdict(self, turn: int, label: str | None, label_probs: Mapping[str, float]) -> None:
        """Keep a verdict that is known before its answer; nothing happens to a turn that has ended or was deleted."""
        update = "UPDATE turn SET label = ?, label_probs = ? WHERE id = ? AND state IN ('waiting', 'answering')"
        with self._writing() as db:
            db.execute(update, (label, rows.mapping_json(label_probs), turn))

    def end(
        self,
        turn: int,
        state: TurnState,
        answer: str,
        *,
        label: str | None = None,
        label_probs: Mapping[str, float] | None = None,
        timings: Timings | None = None,
    ) -> None:
        """Keep the whole answer, or what there is of it; nothing happens to a turn that was deleted."""
        update = "UPDATE turn SET state = ?, answer = ?, label = ?, label_probs = ?, timings = ? WHERE id = ?"
        probs, spent = rows.mapping_json(label_probs or {}), timings.model_dump_json() if timings else None
        with self._writing() as db:
            if db.execute(update, (state, rows.text(answer), label, probs, spent, turn)).rowcount:
                db.execute(
                    "UPDATE chat SET updated = ? WHERE id = (SELECT chat FROM turn WHERE id = ?)", (rows.now(), turn)
                )
                index.add_turn(db, turn)

    def mark_interrupted(self) -> None:
        """Mark the turns that a death left without an end; called when the file is opened."""
        with self._writing() as db:
            left = db.execute("SELECT id FROM turn WHERE state IN ('waiting', 'answering') ORDER BY id").fetchall()
            self._interrupted = tuple(turn for (turn,) in left)
            for turn in self._interrupted:
                db.execute("UPDATE turn SET state = 'interrupted' WHERE id = ?", (turn,))
                index.add_turn(db, turn)

    def interrupted(self) -> tuple[Turn, ...]:
        """Turns that this opening found without an end, for the user to resume or retry."""
        with self._reading() as db:
            found = [db.execute(f"{rows.TURNS} WHERE id = ?", (turn,)).fetchone() for turn in self._interrupted]
        return tuple(rows.turn(row) for row in found if row)

    # --- the rest ---------------------------------------------------------------------------------------------

    def search(self, words: str, limit: int = 50) -> tuple[Hit, ...]:
        """Turns and titles with all of the words, the last used chat first. Any text is a valid search."""
        with self._reading() as db:
            return index.search(db, words, limit)

    def questions(self, limit: int) -> tuple[Question, ...]:
        """The last questions asked in any chat, the oldest of them first; what was only asked again stands once."""
        last = """SELECT id, question FROM turn AS asked WHERE retry_of IS NULL
            OR question <> (SELECT question FROM turn WHERE id = asked.retry_of) ORDER BY id DESC LIMIT ?"""
        with self._reading() as db:
            found = db.execute(f"SELECT question FROM ({last}) ORDER BY id", (limit,)).fetchall()  # noqa: S608
        return tuple(rows.question(asked) for (asked,) in found)

    def draft(self) -> str:
        """The prompt not yet sent."""
        with self._reading() as db:
            found: tuple[str] | None = db.execute("SELECT draft FROM desk").fetchone()
        return found[0] if found else ""

    def save_draft(self, text: str) -> None:
        """Keep the prompt not yet sent; only one is kept."""
        with self._writing() as db:
            db.execute("UPDATE desk SET draft = ?", (rows.text(text),))

    def copy_to(self, target: sqlite3.Connection) -> None:
        """Put everything into the empty tables of `target`."""
        with self._reading() as db:
            copying.fill(target, copying.all_rows(db))

    def hold(self, stack: ExitStack) -> None:
        """Keep what `stack` holds until `close`."""
        self._hold.push(stack)

    def close(self) -> None:
        """Let go of the file and of its key."""
        with self._lock:
            if self._db:
                self._db.close()
                self._db = None
            self._hold.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._where):
            if self._db is None:
                raise UsageError("the chats are locked", fix="unlock them with the passphrase")
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self.damage:
            raise CorruptError(f"the chats are open for reading only: {self.damage}", where=self._where, fix=MEND)
        with self._reading() as db, transaction(db):
            yield db


def _no_chat(chat: int) -> UsageError:
    return UsageError(f"there is no chat {chat}")
