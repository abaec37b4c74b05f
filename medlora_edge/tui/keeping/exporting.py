"""A chat as a Markdown file, or a copy, in a folder of the user's own; a file that is there is never replaced."""

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import ResourceError, UsageError
from medlora_edge.files import write_atomic
from medlora_edge.history import markdown
from medlora_edge.notice import NOTICE
from medlora_edge.privacy import clean
from medlora_edge.tui.keeping.asked_with import to_export
from medlora_edge.tui.keeping.keeper import Keeper

NAME_LENGTH = 40


def export(keeper: Keeper, shown: Collection[int] = ()) -> Path:
    """Write the chat, each turn with what it was asked with and whether it is the one `shown` of its variants.

    Returns the file. Raises MedloraError.
    """
    if keeper.chat is None:
        raise UsageError("there is nothing to export yet", fix="ask something first")
    chat = keeper.store.chat(keeper.chat.id)
    turns = [replace(turn, settings=to_export(turn)) for turn in keeper.turns()]
    return _written(f"{_slug(chat.title)}.md", markdown(chat, turns, notice=NOTICE, shown=shown))


def write_copy(text: str) -> Path:
    """Write what no clipboard took; returns the file. Raises MedloraError."""
    return _written("copy.txt", clean(text) + "\n")


def _written(name: str, text: str) -> Path:
    folder = paths.private_folder(paths.data_dir() / "exports")
    try:
        file = _reserved(folder / f"{datetime.now():%Y-%m-%d-%H%M}-{name}")
        write_atomic(file, text.encode())
    except OSError as error:
        raise ResourceError(f"the file cannot be written: {error.strerror}", where=str(folder)) from error
    return file


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:NAME_LENGTH].strip("-") or "chat"


def _reserved(wanted: Path) -> Path:
    """An empty file of a name that was free: the one wanted, or with a number."""
    for number in count(1):
        file = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        with suppress(FileExistsError):
            file.touch(mode=0o600, exist_ok=False)
            break
    return file
