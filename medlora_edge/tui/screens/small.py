"""A terminal too small for the app: a plain message in place of a broken screen, until it is enlarged."""

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen

from medlora_edge.tui.keys.bindings import OVERLAY_KEYS
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.widgets.plain import Plain

COLUMNS, ROWS = 60, 20  # the least that everything is legible in


def watch(app: App[None], size: Size) -> None:
    """Show or take away the message: the terminal has this size now."""
    shown = any(isinstance(screen, TooSmall) for screen in app.screen_stack)
    if too_small(size) and not shown:
        app.push_screen(TooSmall())
    elif not too_small(size) and isinstance(app.screen, TooSmall):
        app.screen.dismiss()


def too_small(size: Size) -> bool:
    """Whether that is less than the app needs."""
    return size.width < COLUMNS or size.height < ROWS


class TooSmall(Steady, ModalScreen[None]):
    """Covers everything; what is under way goes on beneath it, and Esc stops that."""

    BINDINGS = OVERLAY_KEYS
    DEFAULT_CSS = """
    TooSmall { background: $background; Plain { padding: 0 1; } }
    """

    def compose(self) -> ComposeResult:
        """What is wrong, and what to do."""
        yield Plain(f"The terminal is too small: at least {COLUMNS} x {ROWS} is needed. Enlarge it; nothing is lost.")

    def on_unmount(self) -> None:
        """A size that came while both screens changed places may have reached only this one."""
        size = self.app.size
        if self.app.screen_stack:
            self.app.screen.post_message(events.Resize(size, size))

    def on_screen_resume(self) -> None:
        """What covered it is gone; the terminal may have grown meanwhile."""
        if not too_small(self.app.size):
            self.dismiss()
