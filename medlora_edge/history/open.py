"""The ways to a store: in memory, newly kept, unlocked by passphrase, recovered by code."""

import math
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import CorruptError, InUseError, ResourceError, UsageError
from medlora_edge.files import exclusive, sync_folder
from medlora_edge.history import attempts, database, keys
from medlora_edge.history.salvage import salvage
from medlora_edge.history.store import Store

DATABASE = "chats.db"
LOCK = ".lock"


def private() -> Store:
    """An empty store in memory; nothing of it ever reaches a disk."""
    return Store(database.in_memory(), "memory")


def exists(folder: Path) -> bool:
    """Whether chats are kept here, readable or not."""
    return any((folder / name).exists() for name in (DATABASE, keys.NAME, keys.COPY))


def in_use(folder: Path) -> bool:
    """Whether another process has these chats open now."""
    try:
        with _held(folder):
            return False
    except InUseError:
        return True
    except ResourceError:  # unlocking will say so
        return False


def create(
    folder: Path, passphrase: str, *, keep: Store | None = None, cost: keys.Cost = keys.MODERATE
) -> tuple[Store, str]:
    """Keep chats from now on, those of `keep` with them; the code returned opens them too and is shown nowhere else.

    The folder appears whole or not at all. Raises UsageError when chats are kept here already, when the passphrase is
    too short, or when SQLCipher is missing; ResourceError when the place cannot be written.
    """
    _require_cipher()
    _refuse_existing(folder)
    code, key = keys.new_recovery_code(), secrets.token_bytes(32)
    slots = keys.Slots(
        passphrase=keys.seal(key, keys.new_passphrase_secret(passphrase), cost),
        recovery=keys.seal(key, keys.recovery_secret(code), cost),
    )
    with _new_folder(folder) as draft:
        keys.save(draft, slots)
        _write_database(draft / DATABASE, key, keep)
    with _held(folder) as hold:
        return _opened(folder, key, hold), code


def unlock(folder: Path, passphrase: str) -> Store:
    """Open kept chats; turns that a death left without an end are marked.

    A damaged database opens for reading only as far as it can be read (see `Store.damage`). Raises UsageError for a
    wrong passphrase, after which the next try must wait, and for chats of a newer version; CorruptError; InUseError;
    ResourceError.
    """
    _require_kept(folder)
    with _held(folder) as hold:
        slot = keys.load(folder).passphrase
        key = _attempt(folder, slot, keys.passphrase_secret(passphrase), "the passphrase does not open these chats")
        return _resumed(folder, key, hold)


def recover(folder: Path, code: str, new_passphrase: str, *, cost: keys.Cost = keys.MODERATE) -> Store:
    """Open kept chats by their recovery code, which stays valid, and give them a new passphrase. Raises as `unlock`."""
    _require_kept(folder)
    secret, new_secret = keys.recovery_secret(code), keys.new_passphrase_secret(new_passphrase)
    with _held(folder) as hold:
        slots = keys.load(folder)
        key = _attempt(folder, slots.recovery, secret, "the recovery code does not open these chats")
        keys.save(folder, slots.model_copy(update={"passphrase": keys.seal(key, new_secret, cost)}))
        return _resumed(folder, key, hold)


def _require_cipher() -> None:
    if not database.has_cipher():
        fix = "install sqlcipher3; until then chats stay private, in memory"
        raise UsageError("chats cannot be kept: SQLCipher, which encrypts them, is missing", fix=fix)


def _require_kept(folder: Path) -> None:
    _require_cipher()
    if not exists(folder):
        raise UsageError("no chats are kept here", where=str(folder), fix="keep chats first")


def _refuse_existing(folder: Path) -> None:
    if exists(folder):
        raise UsageError("chats are kept here already", where=str(folder), fix="unlock them, or move the folder away")


def _attempt(folder: Path, slot: keys.Slot, secret: bytes, wrong: str) -> bytes:
    attempts.begin(folder)
    key = slot.unseal(secret)
    if key is None:
        raise UsageError(wrong, fix=f"try again in {math.ceil(attempts.wait_seconds(folder))} s")
    attempts.succeeded(folder)
    return key


@contextmanager
def _held(folder: Path) -> Iterator[ExitStack]:
    """The folder for this process alone; the store that takes the stack over keeps it so."""
    with ExitStack() as stack:
        try:
            (folder / LOCK).touch(mode=0o600)
            stack.enter_context(exclusive(folder / LOCK, what="the chat history"))
        except OSError as error:
            raise ResourceError(f"the folder cannot be written: {error.strerror}", where=str(folder)) from error
        yield stack


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder that takes its name when the block is done, and is gone if the block fails."""
    parent = paths.private_folder(folder.parent)
    try:
        draft = Path(tempfile.mkdtemp(dir=parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise ResourceError(f"cannot create the folder: {error.strerror}", where=str(folder)) from error
    try:
        yield draft
        draft.rename(folder)
        sync_folder(parent)
    except OSError as error:
        raise ResourceError(f"cannot create the folder: {error.strerror}", where=str(folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_database(path: Path, key: bytes, keep: Store | None) -> None:
    path.touch(mode=0o600)
    db = database.connect(path, key)
    with closing(db), database.explained(str(path)):
        database.migrate(db, str(path))
        if keep:
            keep.copy_to(db)


def _resumed(folder: Path, key: bytes, hold: ExitStack) -> Store:
    store = _opened(folder, key, hold)
    if not store.damage:
        with suppress(ResourceError):  # a full disk must not keep the owner from reading
            store.mark_interrupted()
            store.finish_erasing()
    return store


def _opened(folder: Path, key: bytes, hold: ExitStack) -> Store:
    path = folder / DATABASE
    if not path.is_file() or not path.stat().st_size:
        raise CorruptError("the database of the chats is missing or empty", where=str(path), fix=database.MEND)
    try:
        db = _whole(path, key)
    except CorruptError:
        store = salvage(path, key)
    else:
        store = Store(db, str(path))
    store.hold(hold.pop_all())
    return store


def _whole(path: Path, key: bytes) -> sqlite3.Connection:
    """The database, when every page of it is as it was written."""
    left_by_a_death = path.with_name(f"{path.name}-wal").exists()
    db = database.connect(path, key)
    with ExitStack() as undo:
        undo.callback(db.close)
        database.check(db, str(path), thorough=left_by_a_death)
        database.migrate(db, str(path))
        undo.pop_all()
    return db
