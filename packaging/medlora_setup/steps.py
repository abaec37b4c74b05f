"""The few ways in which setup changes a disk: each whole or not at all, durable, and harmless to do twice."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `content`: written beside it, flushed, renamed. Raises OSError; `path` is then as it was."""
    draft = draft_of(path)
    draft.unlink(missing_ok=True)
    try:
        with draft.open("xb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # gone already where it took the other's place
    sync_folder(path.parent)


def point(link: Path, target: str) -> None:
    """Make `link` point at `target` in one step, whatever it pointed at before."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    draft = draft_of(link)
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)
    sync_folder(link.parent)


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make one folder unless it is there."""
    path.mkdir(mode, exist_ok=True)


def link_file(path: Path, target: Path, _mode: int) -> None:
    """Let `target` be another name of a regular file, which takes no room."""
    os.link(path, target, follow_symlinks=False)


def move(path: Path, target: Path) -> None:
    """Rename a file or folder within one file system, durably. `target` must not exist."""
    path.rename(target)
    sync_folder(target.parent)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it; a link is removed, not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def copy_file(path: Path, target: Path, mode: int) -> None:
    """Copy the content of a regular file to a new one of the same owner and flush it."""
    with path.open("rb") as source, target.open("xb") as stream:
        os.fchmod(stream.fileno(), mode)
        copy_owner(path, target)
        shutil.copyfileobj(source, stream, 1 << 20)
        stream.flush()
        os.fsync(stream.fileno())


def is_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, has no room left."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def if_there_is_room() -> Iterator[None]:
    """Do without what the block writes where the disk is full."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise


def copy_owner(path: Path, target: Path) -> None:
    """Let `target` belong to whom `path` belongs: root may be at work for somebody else."""
    wanted, found = path.stat(), target.lstat()
    if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid):
        os.chown(target, wanted.st_uid, wanted.st_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def draft_of(path: Path) -> Path:
    """Where `path` is written first. One fixed name: what a killed setup left there, the next one takes away."""
    return path.with_name(f".{path.name}.new")
