"""The prompt box: Enter sends, Ctrl+J begins a line, a paste never sends, Up at the first line recalls."""

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.widgets import TextArea

from medlora_edge.privacy import clean
from medlora_edge.tui.chat.recall import Recall
from medlora_edge.tui.keys.bindings import PROMPT_KEYS, TEXT_BOX_KEYS

LONGEST_PASTE = 200_000  # characters, with what stands there already: many times what a context holds
LINES = 10  # of a question in view, where the terminal has room for them
TEXT_SHARE = 0.9  # of a paste; with less it is a file, not text


class Box(TextArea):
    """A text box that takes text only: pastes are cleaned, or refused whole."""

    BINDINGS = TEXT_BOX_KEYS
    DEFAULT_CSS = """
    Box {
        height: auto;
        border: round $secondary;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; }
        & .text-area--cursor-line { background: $background; }
        & .text-area--placeholder { color: $quiet; }
    }
    """

    class Refused(Message):
        """A paste was not taken; `why` in words."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def on_mount(self) -> None:
        """No blinking: it repaints for nothing."""
        self.cursor_blink = False

    def fill(self, text: str) -> None:
        """Put `text` in place of what is there, the cursor at its end."""
        self.text = clean(text)
        self.move_cursor(self.document.end)

    def action_cursor_line_end(self, select: bool = False) -> None:
        """Where there is nothing to the right: the end of the chat, which is followed again."""
        if not select and self.cursor_at_end_of_text:
            self.call_later(self.run_action, "screen.scroll_chat('end')")
        else:
            super().action_cursor_line_end(select)

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        safe = clean(text)
        length = len(self.text) + len(text)
        if length > LONGEST_PASTE:
            self.post_message(self.Refused(f"With the paste it has {length:,} characters: no context holds that."))
        elif len(safe) < TEXT_SHARE * len(text):
            self.post_message(self.Refused("The paste is not text."))
        elif result := self._replace_via_keyboard(safe, *self.selection):
            self.move_cursor(result.end_location)


class Prompt(Box):
    """Where questions are written; grows to 10 lines, but never over the whole screen."""

    BINDINGS = PROMPT_KEYS
    HELP = "The prompt"
    DEFAULT_CSS = """
    Prompt { max-height: 40vh; }
    """

    class Sent(Message):
        """The user wants it asked."""

    def __init__(self) -> None:
        super().__init__(id="prompt", highlight_cursor_line=False)
        self.recall = Recall()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as are written, up to the most that are in view."""
        return min(LINES, super().get_content_height(container, viewport, width))

    def action_send(self) -> None:
        """Enter."""
        self.post_message(self.Sent())

    def action_newline(self) -> None:
        """Ctrl+J, and Shift+Enter and Alt+Enter where the terminal can tell them apart."""
        self._replace_via_keyboard("\n", *self.selection)

    def action_cursor_up(self, select: bool = False) -> None:
        """At the first line: the prompt before."""
        older = self.recall.older(self.text) if self.cursor_at_first_line and not select else None
        if older is None:
            super().action_cursor_up(select)
        else:
            self.fill(older)

    def action_cursor_down(self, select: bool = False) -> None:
        """At the last line: the prompt after, at last the one not sent."""
        newer = self.recall.newer() if self.cursor_at_last_line and not select else None
        if newer is None:
            super().action_cursor_down(select)
        else:
            self.fill(newer)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":  # not a newline: the binding sends
            event.prevent_default()


class Abstract(Box):
    """Where an abstract is pasted; Enter begins a line, Tab goes to the question, and the box is small from then on."""

    HELP = "The abstract"
    DEFAULT_CSS = """
    Abstract { max-height: 4; display: none; }
    Abstract:focus { max-height: 25vh; }
    Abstract.shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="abstract", highlight_cursor_line=False, placeholder="Paste the abstract here, then Tab")
        self.border_title = "Abstract"
