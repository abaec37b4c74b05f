"""The terminal chat app: one screen to chat in, everything slow in threads, every event drawn as it comes."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen

from medlora_edge import history, models
from medlora_edge.errors import MedloraError
from medlora_edge.history import Store
from medlora_edge.models import Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui import clipboard, exporting, ladder
from medlora_edge.tui.bindings import APP_KEYS
from medlora_edge.tui.desk import Desk
from medlora_edge.tui.events import SessionEvent
from medlora_edge.tui.keeper import Keeper
from medlora_edge.tui.ladder import Situation, Step
from medlora_edge.tui.safety import NoControls
from medlora_edge.tui.screens.chat import ChatScreen
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.help import Help
from medlora_edge.tui.session import Session, SessionLike
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.threads import tell
from medlora_edge.tui.widgets.prompt import Box

KEEP_SECONDS = 0.5  # between two looks at what was said and is not kept yet


class EdgeApp(App[None]):
    """`open_session` gets the function to post events to; `find_model` may take long and may raise MedloraError."""

    TITLE = "medlora-edge"
    BINDINGS: ClassVar[list[BindingType]] = APP_KEYS
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    Toast { text-style: none; }
    """

    def __init__(
        self,
        open_session: Callable[[Callable[[SessionEvent], None]], SessionLike],
        *,
        find_model: Callable[[], Model] = lambda: models.find(None),
        store: Store | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.failure: Exception | None = None
        self._controls = NoControls()
        self._find_model = find_model
        self._warned_at = float("-inf")
        self.keeper = Keeper(store or history.private(), self._trouble)
        self.session = open_session(self.hear)
        self.chat = ChatScreen(Desk(self.session, self.keeper, self.hear), clock)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    # --- life ---------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        """The chat first, the model behind it."""
        await self.push_screen(self.chat)
        self.set_interval(KEEP_SECONDS, self._keep)
        self._load()

    def on_unmount(self) -> None:
        """The engine goes with the app."""
        self.session.close()

    def hear(self, event: SessionEvent) -> None:
        """From the session's thread: keep it, then show it."""
        self.keeper.hear(event)
        tell(self, self.chat.hear, event)

    @work(thread=True, group="load")
    def _load(self) -> None:
        try:
            self.chat.desk.load(self._find_model)
        except MedloraError as error:
            self._trouble(error)

    def _keep(self) -> None:
        if self.keeper.behind:
            self._flush_answer()

    @work(thread=True, exclusive=True, group="keep")
    def _flush_answer(self) -> None:
        self.keeper.flush()

    def _trouble(self, error: MedloraError) -> None:
        tell(self, self.chat.trouble, error)

    def _handle_exception(self, error: Exception) -> None:
        """An error of the program's own: leave without Textual's traceback, which would show what was typed."""
        self.failure = error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    # --- keys that work everywhere ------------------------------------------------------------------------

    def action_escape(self) -> None:
        """Esc."""
        self._do(ladder.on_escape(self._situation()))

    def action_interrupt(self) -> None:
        """Ctrl+C."""
        self._do(ladder.on_interrupt(self._situation()))

    def action_end_of_file(self) -> None:
        """Ctrl+D."""
        self._do(ladder.on_end_of_file(self._situation()))

    def action_ask_quit(self) -> None:
        """Ctrl+Q."""
        self._do(ladder.on_quit(self._situation()))

    def _situation(self) -> Situation:
        focused, chat = self.focused, self.chat
        return Situation(
            overlay=isinstance(self.screen, ModalScreen),
            selection=bool(self._selected()),
            busy=chat.busy or chat.standing.loading,
            in_prompt=isinstance(focused, Box),
            draft=isinstance(focused, Box) and bool(focused.text),
            warned=self.clock() - self._warned_at < ladder.WARNED_SECONDS,
            unsaved=not chat.standing.saved and bool(chat.transcript.turns()),
        )

    def _selected(self) -> str:
        own = self.focused.selected_text if isinstance(self.focused, Box) else ""
        return own or self.screen.get_selected_text() or ""

    def _do(self, step: Step) -> None:  # noqa: C901 - one case a step
        match step:
            case Step.CLOSE_OVERLAY:
                if isinstance(self.screen, ModalScreen):
                    self.screen.dismiss(None)
            case Step.STOP:
                self.chat.desk.stop()
            case Step.FOCUS_PROMPT:
                self.chat.prompt.focus()
            case Step.COPY:
                self.copy_to_clipboard(self._selected())
            case Step.WARN:
                self._warned_at = self.clock()
                self.notify("Press Ctrl+C again to quit.", timeout=ladder.WARNED_SECONDS, markup=False)
            case Step.DELETE_RIGHT:
                if isinstance(self.focused, Box):
                    self.focused.action_delete_right()
            case Step.CONFIRM_QUIT:
                self._ask_quit()
            case Step.QUIT:
                self.exit()

    def _ask_quit(self) -> None:
        about = "This chat is not saved: it is gone then. Export it first to keep it."
        ask = Choice("Quit?", about, ("Quit", "Stay"))
        self.push_screen(ask, lambda chosen: self.exit() if chosen == 0 else None)

    def action_help(self) -> None:
        """F1."""
        if not isinstance(self.screen, ModalScreen):
            self.push_screen(Help(self.screen.active_bindings.values()))

    # --- the palette --------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Everything the app can do."""
        chat = self.chat
        yield SystemCommand("New chat", "Begin an empty chat", chat.action_new_chat)
        yield SystemCommand("Next mode", "Ask, PubMedQA, multiple choice", chat.action_next_mode)
        if chat.busy or chat.standing.loading:
            yield SystemCommand("Stop", "Stop the answer or the load", chat.desk.stop)
        if turns := chat.transcript.turns():
            last = turns[-1]
            yield SystemCommand("Retry", "Ask the last question again", lambda: chat.retry(last.turn))
            yield SystemCommand("Edit", "Put the last question into the prompt", lambda: chat.edit(last.turn))
            yield SystemCommand("Export", "Write the chat to a Markdown file, not encrypted", self.export)
            yield SystemCommand("Copy", "Copy the last answer", lambda: self.copy_to_clipboard(last.answer.text))
            yield SystemCommand(
                "Copy through the terminal",
                "Copy the last answer by OSC 52, for ssh and tmux",
                lambda: self.copy_through_terminal(last.answer.text),
            )
        for theme in THEMES:
            yield SystemCommand(f"Theme {theme.name}", "Change the colours", lambda name=theme.name: self._wear(name))
        yield SystemCommand("Help", "Keys that work here", self.action_help)
        yield SystemCommand("Quit", "Leave the app", self.action_ask_quit)

    def _wear(self, theme: str) -> None:
        self.theme = theme

    # --- out of the app -----------------------------------------------------------------------------------

    @work(thread=True, group="export")
    def export(self) -> None:
        """Write the chat to a file and say where."""
        try:
            file = exporting.export(self.keeper, self.chat.standing)
        except MedloraError as error:
            self._trouble(error)
        else:
            tell(self, self.notify, f"Written, not encrypted: {file}", timeout=10, markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """To the desktop's clipboard; never to the terminal unasked."""
        self._clipboard = text
        self._copy(text)

    @work(thread=True, group="copy")
    def _copy(self, text: str) -> None:
        by = clipboard.copy(text)
        lost = "No clipboard program answers here. Ctrl+P: copy through the terminal, or export."
        tell(self, self.notify, f"Copied ({by})." if by else lost, markup=False)

    def copy_through_terminal(self, text: str) -> None:
        """By OSC 52, which the user asked for."""
        super().copy_to_clipboard(text)
        self.notify("Sent to the terminal (OSC 52); not every terminal takes it.", markup=False)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Never: there is no network here."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ours last."""
        return [*super().get_line_filters(), self._controls]


def run(settings: EngineSettings) -> None:
    """Open the app and stay until the user quits. Raises what ended it, if it was not the user."""
    app = EdgeApp(lambda post: Session(post, settings=settings))
    app.run()
    if app.failure:
        raise app.failure
