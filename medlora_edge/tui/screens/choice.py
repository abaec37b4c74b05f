"""A question to the user with a few answers; Esc takes none."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList

from medlora_edge.tui.keys.bindings import OVERLAY_KEYS
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.widgets.plain import Plain, plain


class Choice(Steady, ModalScreen[int | None]):
    """Ends with the number of the answer chosen, None for none."""

    BINDINGS = OVERLAY_KEYS
    DEFAULT_CSS = """
    Choice {
        align: center middle;
        Vertical { width: 66; max-width: 90%; height: auto; border: round $primary; padding: 1 2; background: $panel; }
        #asked { text-style: bold; }
        OptionList { height: auto; margin-top: 1; border: none; background: $panel; }
        OptionList:focus { border: none; }
    }
    """

    def __init__(self, asked: str, about: str, answers: Sequence[str]) -> None:
        super().__init__()
        self._asked = asked
        self._about = about
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Question, what it is about, answers."""
        with Vertical():
            yield Plain(self._asked, id="asked")
            yield Plain(self._about)
            yield OptionList(*map(plain, self._answers))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take it."""
        self.dismiss(event.option_index)
