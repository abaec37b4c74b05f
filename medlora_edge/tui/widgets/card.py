"""A card: something happened that is no answer, and what to do about it."""

from textual.content import Content

from medlora_edge.errors import MedloraError
from medlora_edge.tui.chat.note import Note, of_error
from medlora_edge.tui.widgets.plain import Plain, plain


class Card(Plain):
    """Shows a note; empty and out of sight while there is none."""

    DEFAULT_CSS = """
    Card {
        margin: 0 1 1 1;
        padding: 0 1;
        border-left: outer $secondary;
        &.error { border-left: outer $error; }
        &.warning { border-left: outer $warning; }
        &.none { display: none; }
    }
    """

    def __init__(self, note: Note | None = None) -> None:
        super().__init__()
        self.tell(note)

    def tell(self, note: Note | None) -> None:
        """Show this instead."""
        self.set_classes(note.kind if note else "none")
        self.update(told(note) if note else "")


class Aside(Card):
    """A card behind the entry at `place` of a chat; `going`: it is being taken away."""

    def __init__(self, note: Note, place: int) -> None:
        super().__init__(note)
        self.place = place
        self.going = False


def told(note: Note) -> Content:
    """What happened, where, what to do."""
    lines = [
        Content.assemble((f"{note.kind.capitalize()}: ", "bold"), plain(note.what)),
        *([Content.assemble("Where: ", plain(note.where))] if note.where else []),
        *([Content.assemble("What to do: ", plain(note.fix))] if note.fix else []),
    ]
    return Content("\n").join(lines)


def error_card(error: MedloraError) -> Card:
    """A card for an error that a user can act on."""
    return Card(of_error(error))
