"""Who may change an installation: its owner, one process at a time; the kernel drops a lock when its holder dies."""

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import Layout


def require_owner(layout: Layout) -> None:
    """Require this to be the user who installed. Raises SetupError (exit 2) naming that user.

    Anybody else, root too, would look for chats in a home that is not theirs, and leave files behind in a folder that
    its owner can change while they are at work.
    """
    if not layout.state.exists() or (owner := layout.state.stat().st_uid) == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"the user {owner}"
    fix = f"run this as {name}"
    raise SetupError(f"this installation belongs to {name}", where=str(layout.prefix), fix=fix, code=Code.USAGE)


@contextmanager
def setup_alone(layout: Layout) -> Iterator[None]:
    """Keep every other setup out of this installation. Raises SetupError (exit 8) when one is at work there."""
    layout.lock.touch(mode=0o644)
    with held(layout.lock, "this installation", fix="wait for the other setup to end"):
        yield


@contextmanager
def chats_closed(history: Path) -> Iterator[None]:
    """Keep the app from opening these chats. Raises SetupError (exit 8) when they are open."""
    lock = history / ".lock"
    if not lock.is_file():
        yield
        return
    with held(lock, "the chat history", fix="close the app, then run this again"):
        yield


@contextmanager
def held(lock: Path, what: str, *, fix: str) -> Iterator[None]:
    """Hold an existing file or folder while the block runs. Raises SetupError (exit 8) when another process does."""
    descriptor = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        what = f"{what} is in use by another process"
        raise SetupError(what, where=str(lock.parent), fix=fix, code=Code.IN_USE) from None
    finally:
        os.close(descriptor)
