"""Connections to the one encrypted file, or to memory; its schema; SQLite's complaints as errors a user can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType

from medlora_edge.errors import CorruptError, InUseError, MedloraError, ResourceError, UsageError

PRAGMAS = (
    "locking_mode = EXCLUSIVE",  # before the first read: the log's index then stays in memory
    "journal_mode = WAL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
    "secure_delete = ON",
    "synchronous = FULL",
)
MEND = "export what can be read, then move the folder away, or put it back from a backup"
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
NO_ROOM = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
)


@cache
def driver() -> ModuleType:
    """SQLCipher's twin of `sqlite3`; where it is missing `sqlite3` itself, fit for memory alone."""
    try:
        return import_module("sqlcipher3.dbapi2")
    except ImportError:
        return sqlite3


def has_cipher() -> bool:
    """Whether a file would be encrypted: chats may be kept only then."""
    with closing(driver().connect(":memory:")) as db:
        return db.execute("PRAGMA cipher_version").fetchone() is not None


def in_memory() -> sqlite3.Connection:
    """An empty store that leaves nothing behind."""
    db = _configured(_connect(":memory:", None))
    migrate(db, "memory")
    return db


def connect(path: Path, key: bytes) -> sqlite3.Connection:
    """The file for reading and writing, held against every other process.

    Raises CorruptError when it is damaged or has another key, InUseError, ResourceError.
    """
    with explained(str(path)):
        return _configured(_connect(f"{path.absolute().as_uri()}?mode=rw", key))


def connect_damaged(path: Path, key: bytes) -> sqlite3.Connection:
    """The file for reading alone, even where it is shorter than it says."""
    db = _connect(f"{path.absolute().as_uri()}?mode=ro", key)
    db.execute("PRAGMA writable_schema = ON")  # makes SQLite accept a file cut short
    return db


def migrate(db: sqlite3.Connection, where: str) -> None:
    """Bring the tables up to date, each step whole or not at all. Raises UsageError for those of a newer program."""
    with explained(where):
        _migrate(db, where)


def _migrate(db: sqlite3.Connection, where: str) -> None:
    scripts = _scripts()
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(scripts):
        what = f"the chats are of a newer version of the program: format {version}, this one knows {len(scripts)}"
        raise UsageError(what, where=where, fix="update the program; nothing was changed")
    for number, script in enumerate(scripts[version:], start=version + 1):
        with transaction(db):
            for statement in _statements(script):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


def check(db: sqlite3.Connection, where: str, *, thorough: bool) -> None:
    """Verify the code of every page; `thorough`: also that the pages fit together. Raises CorruptError."""
    with suppress(ResourceError), explained(where):  # a full disk does not hinder reading
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with explained(where):
        faults = [fault for (fault,) in db.execute("PRAGMA cipher_integrity_check").fetchall()]
        if thorough and not faults:
            faults = [fault for (fault,) in db.execute("PRAGMA quick_check").fetchall() if fault != "ok"]
    if faults:
        raise CorruptError(f"the chats are damaged: {faults[0].splitlines()[0]}", where=where, fix=MEND)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of the block's changes, or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # not committed; some failures have rolled back already
            db.execute("ROLLBACK")


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn SQLite's errors into the MedloraError that fits."""
    try:
        yield
    except driver().Error as error:
        if explanation := _explanation(error, where):
            raise explanation from error
        raise


def is_damage(error: Exception) -> bool:
    """Whether SQLite gave up because of what the file holds."""
    return _code(error) in DAMAGED


def _connect(target: str, key: bytes | None) -> sqlite3.Connection:
    db: sqlite3.Connection = driver().connect(
        target, uri=True, isolation_level=None, check_same_thread=False, timeout=0
    )
    db.execute("PRAGMA cipher_log_level = NONE")  # its log goes to the terminal
    db.execute("PRAGMA cipher_memory_security = ON")
    if key:
        db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return db


def _configured(db: sqlite3.Connection) -> sqlite3.Connection:
    with ExitStack() as undo:
        undo.callback(db.close)
        for pragma in PRAGMAS:
            db.execute(f"PRAGMA {pragma}").fetchall()
        undo.pop_all()
    return db


def _scripts() -> tuple[str, ...]:
    folder = resources.files(__package__).joinpath("migrations")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _explanation(error: Exception, where: str) -> MedloraError | None:
    code = _code(error)
    if code in DAMAGED:
        return CorruptError(f"the chats are damaged: {error}", where=where, fix=MEND)
    if code in HELD:
        return InUseError("the chats are in use by another process", where=where, fix="close the other window")
    if code in NO_ROOM:
        fix = "free space on this disk; what was kept before is safe"
        return ResourceError(f"the chats cannot be written: {error}", where=where, fix=fix)
    return None
