"""What leaves the app as a plain file: a chat, and a copy where no clipboard answers. The path is always said."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from medlora_edge.errors import MedloraError
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keeping import exporting
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.terminal.threads import tell

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp

PATH_SECONDS = 20  # time to read a path
NO_CLIPBOARD = "No clipboard program answers here"
ABOUT = "This chat is not saved. A file would stay on the disk as plain text, not encrypted, until you delete it."
ANSWERS = ("Do not copy", "Send it to the terminal (OSC 52), no file", "Write the file")


def export_chat(app: "EdgeApp") -> None:
    """Write the chat as Markdown."""
    _write(app, partial(exporting.export, app.keeper, app.chat.transcript.shown))


def copy(app: "EdgeApp", text: str) -> None:
    """Write a copy; of a chat that is not saved only where the user says so."""
    write = partial(_write, app, partial(exporting.write_copy, text))
    if app.chat.standing.keeping is not Keeping.NOT_SAVED:
        write()
        return

    def answered(chosen: int | None) -> None:
        if chosen == ANSWERS.index("Write the file"):
            write()
        elif chosen:
            app.copy_through_terminal(text)

    app.push_screen(Choice(f"{NO_CLIPBOARD}. Copy to a file?", ABOUT, ANSWERS), answered)


def _write(app: "EdgeApp", write: Callable[[], Path]) -> None:
    app.run_worker(partial(_say, app, write), thread=True, group="file")


def _say(app: "EdgeApp", write: Callable[[], Path]) -> None:
    try:
        file = write()
    except MedloraError as error:
        app.trouble(error)
    else:
        tell(app, app.notify, f"Written, not encrypted: {file}", timeout=PATH_SECONDS, markup=False)
