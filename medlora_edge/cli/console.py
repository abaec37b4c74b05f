"""Where reports are printed: no markup in foreign text, a width that a file can hold, quiet when a pipe closes."""

import sys
from typing import NoReturn

from rich.console import Console

PIPE_WIDTH = 120  # columns where no terminal says how many it has


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the program, which ends quietly."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output for tables and reports."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return _Console(markup=False, highlight=False, emoji=False, width=width)
