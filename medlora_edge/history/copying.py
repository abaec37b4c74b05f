"""All rows of one store into another: private chats that are kept from now on, readable rows of a damaged file."""

import sqlite3
from collections.abc import Iterable, Mapping

from medlora_edge.history import index
from medlora_edge.history.database import transaction
from medlora_edge.history.rows import Row

TABLES = ("chat", "turn", "desk")
LOST = "(title lost)"


def all_rows(db: sqlite3.Connection) -> dict[str, list[Row]]:
    """Rows by table."""
    return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608 - constants


def fill(db: sqlite3.Connection, tables: Mapping[str, Iterable[Row]]) -> None:
    """Put rows, ids and all, into empty tables, and index them; a turn whose chat is missing gets one."""
    with transaction(db):
        db.execute("PRAGMA defer_foreign_keys = ON")
        for table in TABLES:
            for row in tables[table]:
                db.execute(f"REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - constants
        _mend_references(db)
        for (chat,) in db.execute("SELECT id FROM chat").fetchall():
            index.add_title(db, chat)
        for (turn,) in db.execute("SELECT id FROM turn").fetchall():
            index.add_turn(db, turn)


def _mend_references(db: sqlite3.Connection) -> None:
    db.execute(
        """INSERT INTO chat SELECT chat, ?, min(asked), max(asked), '', '', 0 FROM turn
        WHERE chat NOT IN (SELECT id FROM chat) GROUP BY chat""",
        (LOST,),
    )
    db.execute("UPDATE turn SET retry_of = NULL WHERE retry_of NOT IN (SELECT id FROM turn)")
