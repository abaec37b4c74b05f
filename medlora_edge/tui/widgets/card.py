"""A card in the transcript: something happened that is no answer, and what to do about it."""

from textual.content import Content

from medlora_edge.errors import MedloraError
from medlora_edge.tui.widgets.plain import Plain, plain


class Card(Plain):
    """`kind` is a word that is shown, not a colour alone: "error", "note", "warning"."""

    DEFAULT_CSS = """
    Card {
        margin: 0 1 1 1;
        padding: 0 1;
        border-left: outer $secondary;
        &.error { border-left: outer $error; }
        &.warning { border-left: outer $warning; }
    }
    """

    def __init__(self, kind: str, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(classes=kind)
        lines = [
            Content.assemble((f"{kind.capitalize()}: ", "bold"), plain(what)),
            *([Content.assemble("Where: ", plain(where))] if where else []),
            *([Content.assemble("What to do: ", plain(fix))] if fix else []),
        ]
        self.update(Content("\n").join(lines))


def error_card(error: MedloraError) -> Card:
    """A card for an error that a user can act on."""
    return Card("error", error.what, where=error.where, fix=error.fix)
