"""The chat as a Markdown file in a folder of the user's own; a file that is there is never replaced."""

import re
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import ResourceError, UsageError
from medlora_edge.files import write_atomic
from medlora_edge.history import markdown
from medlora_edge.notice import NOTICE
from medlora_edge.tui.keeper import Keeper
from medlora_edge.tui.standing import Standing

NAME_LENGTH = 40


def export(keeper: Keeper, at: Standing) -> Path:
    """Write it; returns the file. Raises MedloraError."""
    if keeper.chat is None:
        raise UsageError("there is nothing to export yet", fix="ask something first")
    chat = keeper.store.chat(keeper.chat.id)
    settings = {"Warning": at.warning} if at.warning else {}
    text = markdown(chat, keeper.turns(), notice=NOTICE, settings=settings)
    folder = paths.private_folder(paths.data_dir() / "exports")
    stem = f"{datetime.now():%Y-%m-%d-%H%M}-{_slug(chat.title)}"
    try:
        file = _reserved(folder, stem)
        write_atomic(file, text.encode())
    except OSError as error:
        raise ResourceError(f"the export cannot be written: {error.strerror}", where=str(folder)) from error
    return file


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:NAME_LENGTH].strip("-") or "chat"


def _reserved(folder: Path, stem: str) -> Path:
    """An empty file of a name that was free."""
    for number in count(1):
        file = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        with suppress(FileExistsError):
            file.touch(mode=0o600, exist_ok=False)
            break
    return file
