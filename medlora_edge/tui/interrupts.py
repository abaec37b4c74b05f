"""Esc, Ctrl+C, Ctrl+D and Ctrl+Q in the app: what the ladder is told, and what it says is done."""

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keys import ladder
from medlora_edge.tui.keys.ladder import Situation, Step
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.keep import Keep
from medlora_edge.tui.screens.small import TooSmall
from medlora_edge.tui.widgets.prompt import Box

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp

LOST = "This chat is not saved: it is gone then. F3 keeps chats, encrypted; an export keeps this one."
LOST_PRIVATE = "This chat is not saved: it is gone then. An export keeps it."
BENCHING = "A bench is running. What is answered is kept; the same choice goes on from there."
STOPPED = "An answer is being written. What it says so far is kept, and you may ask again."


class Interrupts:
    """`do` takes a step of the ladder; the pure rules are in `ladder`."""

    def __init__(self, app: "EdgeApp") -> None:
        self._app = app
        self._warned_at = float("-inf")

    def situation(self) -> Situation:
        """What the app is at."""
        app = self._app
        focused, chat = app.focused, app.chat
        return Situation(
            overlay=isinstance(app.screen, ModalScreen) and not isinstance(app.screen, TooSmall),
            selection=bool(self._selected()),
            busy=self._benching or (not app.locked and (chat.busy or chat.standing.loading)),
            in_prompt=isinstance(focused, Box),
            draft=isinstance(focused, Box) and bool(focused.text),
            warned=app.clock() - self._warned_at < ladder.WARNED_SECONDS,
            unsaved=self._unsaved or app.bench.running,
            held=isinstance(app.screen, Keep) and app.screen.held,
        )

    def do(self, step: Step) -> None:  # noqa: C901 - one case a step
        """Take it."""
        app = self._app
        match step:
            case Step.CLOSE_OVERLAY:
                self._close_overlay()
            case Step.STOP:
                (app.bench if self._benching else app.chat.asking).stop()
            case Step.FOCUS_PROMPT:
                if app.screen is app.chat:
                    app.chat.prompt.focus()
            case Step.COPY:
                app.copy_to_clipboard(self._selected())
            case Step.WARN:
                self._warned_at = app.clock()
                app.notify("Press Ctrl+C again to quit.", timeout=ladder.WARNED_SECONDS, markup=False)
            case Step.DELETE_RIGHT:
                if isinstance(app.focused, Box):
                    app.focused.action_delete_right()
            case Step.CONFIRM_QUIT:
                self._ask_quit()
            case Step.QUIT:
                app.exit()

    def _close_overlay(self) -> None:
        match self._app.screen:
            case Keep() as screen:  # not before the recovery code was read back
                screen.action_close()
            case ModalScreen() as screen:
                screen.dismiss(None)

    @property
    def _benching(self) -> bool:
        """Whether a run is under way and looked at."""
        return self._app.bench.running and self._app.bench.watched

    @property
    def _unsaved(self) -> bool:
        chat = self._app.chat
        return chat.standing.keeping is Keeping.NOT_SAVED and bool(chat.transcript.turns())

    def _selected(self) -> str:
        focused = self._app.focused
        own = focused.selected_text if isinstance(focused, Box) else ""
        return own or self._app.screen.get_selected_text() or ""

    def _what_goes(self) -> str:
        if self._unsaved:
            return LOST if self._app.vault.may_keep else LOST_PRIVATE
        return BENCHING if self._app.bench.running else STOPPED

    def _ask_quit(self) -> None:
        app = self._app
        ask = Choice("Quit?", self._what_goes(), ("Quit", "Stay"))
        app.push_screen(ask, lambda chosen: app.exit() if chosen == 0 else None)
