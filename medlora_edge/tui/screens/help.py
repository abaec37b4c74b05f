"""F1: the keys that work now, read from the live bindings."""

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from medlora_edge.notice import NOTICE
from medlora_edge.tui.keys.bindings import OVERLAY_KEYS
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.widgets.plain import Plain, plain

KEY_WIDTH = 24


class Help(Steady, ModalScreen[None]):
    """What can be pressed where the user was."""

    BINDINGS = OVERLAY_KEYS
    DEFAULT_CSS = """
    Help {
        align: center middle;
        VerticalScroll {
            width: 76; max-width: 100%; height: 90%;
            border: round $primary; padding: 0 1; background: $panel;
        }
    }
    """

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._live = tuple(bindings)

    def compose(self) -> ComposeResult:
        """Groups of keys, then the notice."""
        with VerticalScroll() as box:
            box.border_title = "Keys that work here (Esc closes)"
            for name, rows in self._groups().items():
                yield Static(_table(name, rows), markup=False)
            yield Plain(NOTICE)

    def _groups(self) -> dict[str, dict[str, list[str]]]:
        """By what takes the key: its actions, each with its keys."""
        groups: dict[str, dict[str, list[str]]] = {}
        for active in sorted(self._live, key=_rank):
            node, binding = active.node, active.binding
            if not binding.description or not active.enabled:
                continue
            name = getattr(node, "HELP", None) or "Everywhere"
            keys = groups.setdefault(name.splitlines()[0], {}).setdefault(binding.description, [])
            keys.append(self.app.get_key_display(binding))
        return groups


def _rank(active: ActiveBinding) -> tuple[bool, bool]:
    """What works everywhere first, then a widget's own keys before those that every such widget has."""
    own = {binding.action for binding in type(active.node).BINDINGS if isinstance(binding, Binding)}
    return not isinstance(active.node, App | Screen), active.binding.action not in own


def _table(name: str, rows: dict[str, list[str]]) -> Content:
    lines = [Content.styled(name, "bold")]
    for description, keys in rows.items():
        shown = ", ".join(keys)
        lines.append(plain(f"  {shown:<{KEY_WIDTH}} {description}"))
    return Content("\n").join([*lines, Content("")])
