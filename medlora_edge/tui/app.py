"""The terminal chat app: one screen to chat in, everything slow in threads, every event drawn as it comes."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import ModalScreen, Screen

from medlora_edge import history, models, paths
from medlora_edge.engine.client import Engine
from medlora_edge.errors import MedloraError
from medlora_edge.models import Model
from medlora_edge.settings import Settings
from medlora_edge.tui import chats, palette, switching, to_file
from medlora_edge.tui.about_models.benching import Bench
from medlora_edge.tui.interrupts import Interrupts
from medlora_edge.tui.keeping.desk import Desk
from medlora_edge.tui.keeping.keeper import Keeper
from medlora_edge.tui.keeping.lock import LOCKED_ACTIONS, Idle
from medlora_edge.tui.keys import ladder
from medlora_edge.tui.keys.bindings import APP_KEYS, keymap
from medlora_edge.tui.safe_app import SafeApp
from medlora_edge.tui.screens.chat import ChatScreen
from medlora_edge.tui.screens.help import Help
from medlora_edge.tui.screens.list_page import ListPage
from medlora_edge.tui.screens.unlock import Unlock
from medlora_edge.tui.session.events import SessionEvent
from medlora_edge.tui.session.session import Session
from medlora_edge.tui.session.session_like import SessionLike
from medlora_edge.tui.terminal.threads import tell
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.vault import Vault

TICK_SECONDS = 0.5  # between two looks at what is not kept yet, and at how long nobody was there


class EdgeApp(SafeApp):
    """`open_session` gets the function to post events to; `find_model` may take long and may raise MedloraError.

    `folder` holds the kept chats; `private`: it is neither read nor written. `troubles` are shown at the start.
    """

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
        folder: Path | None = None,
        private: bool = False,
        settings: Settings | None = None,
        troubles: Sequence[MedloraError] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.settings = settings or Settings()
        self.session = open_session(self.hear)
        self.idle = Idle(self.settings.app.idle_minutes * 60)
        self.vault = Vault(self, folder or paths.data_dir() / "history", private=private)
        self.chat = self._new_chat_screen()
        self.bench = Bench(self, self.session.lend, clock)
        self._find_model, self._troubles = find_model, troubles
        self.interrupts = Interrupts(self)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.settings.app.theme

    @property
    def keeper(self) -> Keeper:
        """Keeps the chat that is open."""
        return self.chat.desk.keeper

    @property
    def locked(self) -> bool:
        """Whether the kept chats wait for their passphrase."""
        return any(isinstance(screen, Unlock) for screen in self.screen_stack)

    # --- life ---------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        """The chat first, the model behind it."""
        self.set_keymap(keymap(self.settings.app.send_key))
        await self.push_screen(self.chat)
        await self.vault.start()
        for trouble in self._troubles:
            self.chat.trouble(trouble)
        self.set_interval(TICK_SECONDS, self._tick)
        self.load()

    async def on_unmount(self) -> None:
        """The engine goes with the app; what was typed and said stays."""
        await asyncio.to_thread(self._leave)

    def _leave(self) -> None:
        for part in (self.bench, self.keeper, self.session):
            part.close()

    async def sit_down_anew(self) -> Desk:
        """An empty chat in place of everything that is on the screen; returns the desk of the one before."""
        left = self.chat.desk
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self.clear_notifications()
        self._clipboard = ""
        self.chat = self._new_chat_screen()
        self.chat.desk.model, self.chat.desk.adapter = left.model, left.adapter
        await self.push_screen(self.chat)
        return left

    def _new_chat_screen(self) -> ChatScreen:
        desk = Desk(self.session, Keeper(history.private(), self.trouble), self.hear)
        desk.type_ahead = self.settings.app.type_ahead
        return ChatScreen(desk, self.clock)

    def hear(self, event: SessionEvent) -> None:
        """From the session's thread: keep it, then show it."""
        self.keeper.hear(event)
        self._tell_chat(lambda chat: chat.hear(event))

    def trouble(self, error: MedloraError) -> None:
        """From a worker thread: say what failed."""
        self._tell_chat(lambda chat: chat.trouble(error))

    def _tell_chat(self, do: Callable[[ChatScreen], None]) -> None:
        """Unless there is none at the moment: a lock takes one away and puts another in its place."""
        tell(self, lambda: do(self.chat) if self.chat.is_attached and self.chat.is_mounted else None)

    @on(ChatScreen.WentBack)
    @work(thread=True, group="load")
    def load(self) -> None:
        """Find and load the model."""
        desk = self.chat.desk
        known = desk.model
        try:
            desk.load((lambda: known) if known else self._find_model, desk.adapter)
        except MedloraError as error:
            self.trouble(error)

    async def on_event(self, event: events.Event) -> None:
        """Whatever comes from the user shows that there is one."""
        if isinstance(event, events.InputEvent | events.Paste):
            if self.idle.over and self.vault.may_lock:  # after sleep this comes before the tick
                self.vault.lock()
                return
            self.idle.touch()
        await super().on_event(event)

    def _tick(self) -> None:
        if self.keeper.behind:
            self._keep_up()
        if self.idle.over:
            self.vault.lock()

    @work(thread=True, exclusive=True, group="keep")
    def _keep_up(self) -> None:
        self.keeper.flush()

    # --- keys that work everywhere ------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the chats are locked nothing leads to them; what has nothing to do is not offered."""
        if self.locked and action not in LOCKED_ACTIONS:
            return False
        match action:
            case "keep_chats":
                return self.vault.may_keep
            case "lock":
                return self.vault.may_lock
        return super().check_action(action, parameters)

    def action_keep_chats(self) -> None:
        """F3."""
        self.vault.ask_to_keep()

    def action_lock(self) -> None:
        """Ctrl+L."""
        self.vault.lock()

    def action_history(self) -> None:
        """Ctrl+R."""
        chats.open_list(self)

    def action_models(self) -> None:
        """F4."""
        switching.open_page(self)

    def action_bench(self) -> None:
        """F5."""
        from medlora_edge.tui.screens.bench import BenchScreen

        if self.screen is self.chat:
            self.push_screen(BenchScreen(self.bench, self.chat.desk.model))

    def action_escape(self) -> None:
        """Esc."""
        self.interrupts.do(ladder.on_escape(self.interrupts.situation()))

    def action_interrupt(self) -> None:
        """Ctrl+C."""
        self.interrupts.do(ladder.on_interrupt(self.interrupts.situation()))

    def action_end_of_file(self) -> None:
        """Ctrl+D."""
        self.interrupts.do(ladder.on_end_of_file(self.interrupts.situation()))

    def action_ask_quit(self) -> None:
        """Ctrl+Q."""
        self.interrupts.do(ladder.on_quit(self.interrupts.situation()))

    def action_help(self) -> None:
        """F1."""
        if not isinstance(self.screen, ModalScreen) or isinstance(self.screen, ListPage):
            self.push_screen(Help(self.screen.active_bindings.values()))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Everything the app can do."""
        return palette.commands(self)

    def wear(self, theme: str) -> None:
        """Change the colours."""
        self.theme = theme

    def export(self) -> None:
        """Write the chat to a file and say where."""
        to_file.export_chat(self)

    def copy_to_file(self, text: str) -> None:
        """Where no clipboard answers."""
        to_file.copy(self, text)


def run(settings: Settings, *, private: bool = False, troubles: Sequence[MedloraError] = ()) -> None:
    """Open the app and stay until the user quits. Raises what ended it, if it was not the user."""
    engine = Engine(log=Path(os.devnull) if private else None)
    session = partial(Session, settings=settings.engine, engine=engine)
    app = EdgeApp(session, private=private, settings=settings, troubles=troubles)
    gc.freeze()  # what is loaded by now stays: looking through it again held the screen up for 80 ms at a time
    app.run()
    if app.failure:
        raise app.failure
