"""What a damaged file still gives: its readable rows in memory, to be read and exported; the file is left as it is."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from medlora_edge.errors import CorruptError
from medlora_edge.history.copying import TABLES, fill
from medlora_edge.history.database import connect_damaged, driver, explained, in_memory, is_damage
from medlora_edge.history.rows import Row
from medlora_edge.history.store import Store


def salvage(path: Path, key: bytes) -> Store:
    """A store for reading only with every row that can be read.

    Raises CorruptError when not even the list of tables can be.
    """
    with explained(str(path)), closing(_Reader(path, key)) as reader:
        db = in_memory()
        fill(db, {table: reader.rows(table) for table in TABLES})
    return Store(db, str(path), damage=f"the database is damaged, {reader.lost} of its rows cannot be read")


class _Reader:
    """Rows one by one. A damaged page spoils the connection that met it, so the next row gets a new one."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._db = connect_damaged(path, key)
        self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self.lost = 0

    def rows(self, table: str) -> Iterator[Row]:
        for number in range(1, self._last(table) + 1):
            try:
                row = self._one(f"SELECT * FROM {table} WHERE id = ?", number)  # noqa: S608
            except CorruptError:
                self.lost += 1
                continue
            if row:
                yield row

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _last(self, table: str) -> int:
        """Highest id a row may have, from whichever place can be read."""
        known = [1]
        for sql in ("SELECT seq FROM sqlite_sequence WHERE name = ?", f"SELECT max(id) FROM {table} WHERE ? <> ''"):  # noqa: S608
            with suppress(CorruptError):
                found = self._one(sql, table)
                known.append((found and found[0]) or 1)
        return max(known)

    def _one(self, sql: str, value: str | int) -> Row | None:
        try:
            row: Row | None = self._db.execute(sql, (value,)).fetchone()
        except driver().Error as error:
            if not is_damage(error):
                raise
            self._db.close()
            self._db = connect_damaged(self._path, self._key)
            raise CorruptError("a damaged page", where=str(self._path)) from error
        return row
