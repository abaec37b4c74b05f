"""Copies of the user's chats: made before an upgrade, put back by a rollback. No chat is ever deleted here."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from medlora_setup import steps
from medlora_setup.errors import Code, SetupError

LOCK = ".lock"


def copy(history: Path, backup: Path) -> None:
    """Copy all files of the chats to the folder `backup`, in the place of an older copy. The chats must be closed."""
    draft = backup.with_name(f"{backup.name}.new")
    _copy_files(history, draft)
    steps.remove_tree(backup)
    steps.move(draft, backup)


def put_back(backup: Path, history: Path) -> Path | None:
    """Make the chats what they were when `backup` was made; return the folder that keeps those in between, if any.

    Nothing is done where they are the same, so that it may be done twice. On a full disk the files of `backup` become
    the chats' own, where both lie on one file system. Raises SetupError (exit 3) without a copy.
    """
    if not backup.is_dir():
        fix = "put it back from your own backup; nothing was changed"
        what = "the copy of the chats from before the upgrade is gone"
        raise SetupError(what, where=str(backup), fix=fix, code=Code.CORRUPT)
    if _content(backup) == _content(history):
        return None
    draft = history.with_name(f".{history.name}.new")
    history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy_or_link_files(backup, draft)
    kept = None
    if history.exists():
        kept = _free_name(history)
        steps.move(history, kept)
    steps.move(draft, history)
    return kept


def _copy_or_link_files(backup: Path, draft: Path) -> None:
    try:
        _copy_files(backup, draft)
    except OSError as full:
        if not steps.is_full(full):
            raise
        try:
            _copy_files(backup, draft, steps.link_file)
        except OSError:  # such as from one file system to another: what can be mended is that the disk is full
            raise full from None


def _copy_files(source: Path, target: Path, copy_file: Callable[[Path, Path, int], None] = steps.copy_file) -> None:
    """`target` lies in a folder of the user's: what that user puts in its place meanwhile is refused, not followed."""
    steps.remove_tree(target)
    target.mkdir(0o700)
    steps.copy_owner(source, target)
    for path in _files(source):
        copy_file(path, target / path.name, 0o600)
    steps.sync_folder(target)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name != LOCK)


def _free_name(history: Path) -> Path:
    names = (history.with_name(f"{history.name}-before-rollback-{number}") for number in count(1))
    return next(name for name in names if not name.exists())
