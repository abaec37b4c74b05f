"""Everything about the model that is highlighted, and what to do where it cannot be used."""

from textual.app import ComposeResult
from textual.content import Content

from medlora_edge.errors import MedloraError
from medlora_edge.tui.about_models import model_rows
from medlora_edge.tui.about_models.model_rows import Row
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.widgets.about import About
from medlora_edge.tui.widgets.card import Card, error_card
from medlora_edge.tui.widgets.plain import Plain, plain

EMPTY = "No model is installed."
HOW_TO_ADD = "install one with `medlora-edge models add FILE`"


class ModelDetails(About):
    """The facts as a table; a card above them where something is wrong."""

    HELP = "About the model"
    DEFAULT_CSS = """
    ModelDetails Card { margin: 0 0 1 0; }
    """

    def compose(self) -> ComposeResult:
        """The facts; cards come above them."""
        yield Plain(id="facts")

    def show(self, row: Row) -> None:
        """About this row."""
        self._put(error_card(row.problem) if row.problem else None)
        table = [Content.assemble((f"{name}  ", "bold"), plain(text)) for name, text in model_rows.details(row).items()]
        self.query_one("#facts", Plain).update(Content("\n").join(table))

    def empty(self) -> None:
        """There is no model at all."""
        self._put(Card(Note("note", EMPTY, fix=HOW_TO_ADD)))

    def trouble(self, error: MedloraError) -> None:
        """The models cannot be listed."""
        self._put(error_card(error))

    def _put(self, card: Card | None) -> None:
        self.query(Card).remove()
        self.query_one("#facts", Plain).update("")
        if card:
            self.mount(card, before="#facts")
        self.scroll_home(animate=False)
