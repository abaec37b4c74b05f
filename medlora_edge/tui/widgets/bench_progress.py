"""A bench run under way, stopped or failed: how far, how well so far, how long still."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from medlora_edge.tui.about_models.bench_state import BenchState, Phase, doing, figures
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.widgets.card import Card, error_card
from medlora_edge.tui.widgets.plain import Plain


class BenchProgress(VerticalScroll):
    """Draws a BenchState."""

    HELP = "The run"
    DEFAULT_CSS = """
    BenchProgress {
        padding: 0 1;
        #title { text-style: bold; }
        #doing { margin: 1 0; }
        #figures { height: auto; margin-bottom: 1; }
        #cards { height: auto; }
        #folder { color: $quiet; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="progress")
        self._said: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Plain(id="title")
        yield Plain(id="doing")
        yield Plain(id="figures")
        yield Vertical(id="cards")
        yield Plain(id="folder")

    def show(self, at: BenchState, now: float) -> None:
        """Draw it; `now` on the app's clock, in seconds."""
        self.query_one("#title", Plain).show(at.title)
        self.query_one("#doing", Plain).show(doing(at))
        self.query_one("#figures", Plain).show("\n".join(figures(at, now)))
        self.query_one("#folder", Plain).show(f"Run folder: {at.folder}" if at.folder else "")
        error = at.error if at.phase is Phase.FAILED else None
        if self._said != (at.warnings, error):
            self._said = (at.warnings, error)
            cards = self.query_one("#cards", Vertical)
            cards.remove_children()
            cards.mount(
                *(Card(Note("warning", words)) for words in at.warnings), *([error_card(error)] if error else [])
            )
