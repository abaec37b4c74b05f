"""The list of chats, two lines each; of a long list only what is in view is made."""

from collections.abc import Iterable

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from medlora_edge.tui.keeping import places
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.keys.bindings import CHAT_LIST_KEYS
from medlora_edge.tui.widgets.plain import plain


class ChatList(OptionList):
    """Shows places; `place` is the one highlighted."""

    BINDINGS = CHAT_LIST_KEYS
    HELP = "The list of chats"
    DEFAULT_CSS = """
    ChatList {
        height: 1fr;
        width: 1fr;
        border: none;
        padding: 0;
        background: $background;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: $background 0%; }
        & > .option-list--option { padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._places: tuple[Place, ...] = ()

    @property
    def place(self) -> Place | None:
        """The one highlighted."""
        return None if self.highlighted is None else self._places[self.highlighted]

    def show(self, found: Iterable[Place], at: int = 0) -> None:
        """Show these instead, and highlight one of them."""
        self._places = tuple(found)
        self.set_options(Option(Entry(place)) for place in self._places)
        if self._places:
            self.highlighted = min(at, len(self._places) - 1)
        self.refresh()


class Entry(Visual):
    """A place in the list."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """Its two lines."""
        return entry(self._place).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002 - Textual's form
        """All there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002 - Textual's form
        """Known before it is made."""
        return 2


def entry(place: Place) -> Content:
    """Title above, facts below; of a search's place what was found, the words marked."""
    chat = place.chat
    if not place.snippet:
        return Content("\n").join([plain(places.title(chat), "bold"), plain(places.facts(chat))])
    head = Content.assemble(plain(places.title(chat), "bold"), f" \u00b7 {places.when(chat.updated)}")
    return Content("\n").join([head, found(place)])


def found(place: Place) -> Content:
    """A snippet in one line with the words searched for marked."""
    line = place.snippet.replace("\n", " ").replace("\t", " ")
    content, at = Content(""), 0
    for begin, end in place.matches:
        content = content + plain(line[at:begin]) + plain(line[begin:end], "bold underline")
        at = end
    return content + plain(line[at:])
