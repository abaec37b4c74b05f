"""Where the keys come from: Textual's driver, or ours where the terminal is a Unix one."""

import sys

from textual.driver import Driver


def driver_class() -> type[Driver] | None:
    """Ours; None where Textual's own must do."""
    if sys.platform == "win32":
        return None
    from medlora_edge.tui.terminal.unix_driver import UnixDriver

    return UnixDriver
