"""Textual's app without what could leak: no links, no control characters, no traceback with what was typed."""

from collections.abc import Sequence

from textual import events, work
from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter

from medlora_edge.privacy import clean
from medlora_edge.tui.keys import reference
from medlora_edge.tui.screens import small
from medlora_edge.tui.terminal import clipboard
from medlora_edge.tui.terminal.driver import driver_class
from medlora_edge.tui.terminal.safety import NoControls
from medlora_edge.tui.terminal.threads import tell


class SafeApp(App[None]):
    """`failure` is what ended the program, if it was not the user."""

    def __init__(self) -> None:
        super().__init__(driver_class=driver_class())
        self.animation_level = "none"
        self.failure: Exception | None = None
        self._controls = NoControls()

    def _handle_exception(self, error: Exception) -> None:
        """An error of the program's own: leave without Textual's traceback, which would show what was typed."""
        self.failure = error
        super()._handle_exception(error)

    def on_resize(self, event: events.Resize) -> None:
        """A terminal too small says so."""
        small.watch(self, event.size)

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is called in all texts: "Shift+Tab", "Ctrl+P"."""
        return binding.key_display or reference.shown(binding.key).strip("`")

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def copy_to_clipboard(self, text: str) -> None:
        """To the desktop's clipboard; never to the terminal unasked."""
        self._clipboard = text = clean(text)
        self._copy(text)

    @work(thread=True, group="copy")
    def _copy(self, text: str) -> None:
        by = clipboard.copy(text)
        if by:
            tell(self, self.notify, f"Copied ({by}).", markup=False)
        else:
            tell(self, self.copy_to_file, text)

    def copy_to_file(self, text: str) -> None:  # noqa: ARG002 - what an app with chats writes
        """No clipboard answers; where there is no chat there is nothing worth a file."""
        self.notify("No clipboard program answers here.", markup=False)

    def copy_through_terminal(self, text: str) -> None:
        """By OSC 52, which the user asked for."""
        super().copy_to_clipboard(clean(text))
        self.notify("Sent to the terminal (OSC 52); not every terminal takes it.", markup=False)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Never: there is no network here."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ours last."""
        return [*super().get_line_filters(), self._controls]
