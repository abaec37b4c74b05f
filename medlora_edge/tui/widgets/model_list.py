"""The list of models, two lines each, adapters behind the model they go with."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from medlora_edge.tui.about_models import model_rows
from medlora_edge.tui.about_models.model_rows import Row
from medlora_edge.tui.keys.bindings import MODEL_LIST_KEYS
from medlora_edge.tui.widgets.plain import plain


class ModelList(OptionList):
    """Shows rows; `row` is the one highlighted."""

    BINDINGS = MODEL_LIST_KEYS
    HELP = "The list of models"
    DEFAULT_CSS = """
    ModelList {
        height: auto;
        max-height: 50%;
        width: 1fr;
        border: none;
        padding: 0 1;
        background: $background;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: $background 0%; }
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._rows: tuple[Row, ...] = ()

    @property
    def row(self) -> Row | None:
        """The one highlighted."""
        return None if self.highlighted is None else self._rows[self.highlighted]

    def show(self, listed: Sequence[Row]) -> None:
        """Show these instead; what was highlighted stays so."""
        place = self.row.place if self.row else None
        self._rows = tuple(listed)
        self.set_options(Option(entry(row)) for row in self._rows)
        if self._rows:
            self.highlighted = model_rows.at(self._rows, place)
        self.refresh()


def entry(row: Row) -> Content:
    """Name above, facts below."""
    return Content("\n").join([plain(model_rows.title(row), "bold"), plain(model_rows.facts(row))])
