"""One process at a time: locks that the kernel drops when their holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import Layout


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
