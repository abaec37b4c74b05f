"""The bottom line: keys that work now, as many as the terminal has room for, none of them cut."""

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from medlora_edge.tui.keys.bindings import LEFT_OUT_FIRST

GAP = 2  # columns between two keys


class Keys(Footer):
    """F1 lists what is left out here. It is made anew only where it would say something else."""

    DEFAULT_CSS = """
    Keys.-compact FooterKey { margin-right: 2; }
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._said: tuple[ActiveBinding, ...] = ()

    def compose(self) -> ComposeResult:
        """A key and what it does, each."""
        self._said = self._now()
        for _, key, enabled, tooltip in self._said:
            shown = FooterKey(
                key.key, self._called(key), key.description, key.action, disabled=not enabled, tooltip=tooltip
            )
            yield shown.data_bind(compact=Footer.compact)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Something may be possible now that was not."""
        if self.is_attached and self._now() != self._said:
            super().bindings_changed(screen)

    def on_resize(self) -> None:
        """There may be more room, or less."""
        self.bindings_changed(self.screen)

    def _now(self) -> tuple[ActiveBinding, ...]:
        shown: dict[str, ActiveBinding] = {}  # of an action's keys the first
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                shown.setdefault(active.binding.action, active)
        for action in LEFT_OUT_FIRST:
            if sum(map(self._width, shown.values())) - GAP > self.app.size.width:
                shown.pop(action, None)
        return tuple(shown.values())

    def _called(self, key: Binding) -> str:
        return self.app.get_key_display(key).replace("Ctrl+", "^")

    def _width(self, active: ActiveBinding) -> int:
        return len(self._called(active.binding)) + 1 + len(active.binding.description) + GAP
