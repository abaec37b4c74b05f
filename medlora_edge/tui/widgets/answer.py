"""An answer as it grows. Whole lines are set once, only the last part is laid out again."""

from textual.containers import Vertical

from medlora_edge.tui.widgets.plain import Plain

SET_AFTER = 1200  # characters of the part that grows


class Answer(Vertical):
    """The text of one answer."""

    DEFAULT_CSS = """
    Answer { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._growing = ""
        self._tail: Plain | None = None

    def say(self, text: str) -> None:
        """Go on."""
        self.text += text
        self._growing += text
        whole, newline, rest = self._growing.rpartition("\n")
        if newline and len(whole) > SET_AFTER:
            self._draw(whole)
            self._tail, self._growing = None, rest
        self._draw(self._growing)

    def reset(self, text: str = "") -> None:
        """Begin anew with `text`."""
        if text == self.text:
            return
        self.remove_children()
        self.text, self._growing, self._tail = "", "", None
        if text:
            self.say(text)

    def _draw(self, text: str) -> None:
        if not text:
            return
        if self._tail is None:
            self._tail = Plain(text)
            self.mount(self._tail)
        else:
            self._tail.show(text)
