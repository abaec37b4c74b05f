"""The kept chats' way in and out: at the start, when they are kept for the first time, locked, and unlocked again."""

from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from medlora_edge import history
from medlora_edge.errors import MedloraError, UsageError
from medlora_edge.history import Store
from medlora_edge.tui import chats, opened
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keeping.desk import Desk
from medlora_edge.tui.keys.bindings import how_to_send
from medlora_edge.tui.opened import Opened
from medlora_edge.tui.screens import small
from medlora_edge.tui.screens.keep import Keep
from medlora_edge.tui.screens.unlock import Doors, Unlock
from medlora_edge.tui.terminal.threads import tell

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp

KEYS = (
    "Esc stops an answer. Shift+Tab changes between open questions, PubMedQA (yes / no / maybe from an abstract) and "
    "multiple choice. F1 shows all keys, Ctrl+P all commands."
)
NOT_SAVED = "This chat is not saved: it is gone when you quit. F3 keeps chats, encrypted."
PRIVATE = "This chat is not saved: it is gone when you quit, and nothing is written to this machine's disk."
PRIVATE_THIS_TIME = "This chat is not saved: it is gone when you quit. Start the app again to unlock the kept chats."
SAVED = "Chats are kept, encrypted. Ctrl+R finds earlier ones, Ctrl+L locks them."


class Vault:
    """`folder` holds the kept chats. `private`: it is left alone, whatever it holds."""

    def __init__(self, app: "EdgeApp", folder: Path, *, private: bool) -> None:
        self._app = app
        self._folder = folder
        self._private = private
        self._there = not private and history.exists(folder)
        self._left: int | None = None  # the chat that was open when it was locked
        self._let_go = Event()  # nothing of what was locked is open any more
        self._let_go.set()
        self._engine_let_go = False
        self._one_look = Lock()  # looking whether others have the chats takes them for a moment

    @property
    def may_keep(self) -> bool:
        """Whether chats can be kept from now on."""
        return not self._private and not self._there and self._keeping is Keeping.NOT_SAVED

    @property
    def may_lock(self) -> bool:
        """Whether there is something to lock, and a passphrase to unlock it."""
        return not self._app.locked and not self._shows_code and self._keeping is not Keeping.NOT_SAVED

    @property
    def _shows_code(self) -> bool:
        """Whether the recovery code, shown once, is not read back yet."""
        return any(isinstance(screen, Keep) for screen in self._app.screen_stack)

    @property
    def _keeping(self) -> Keeping:
        return self._app.chat.standing.keeping

    # --- in -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """The chats that are kept, or one that is not saved."""
        if self._there and history.has_cipher():
            await self._ask()
            return
        self._welcome(PRIVATE if self._private else NOT_SAVED)
        if self._there:
            fix = "install sqlcipher3 and start again; they are left as they are"
            self._app.chat.trouble(UsageError("the kept chats cannot be opened: SQLCipher is missing", fix=fix))

    def _welcome(self, about: str) -> None:
        self._app.chat.welcome(f"{about} {how_to_send(self._app.settings.app.send_key)} {KEYS}")

    async def _ask(self) -> None:
        wait = partial(history.wait_seconds, self._folder)
        doors = Doors(self.unlock, self.recover, wait, self._in_use, self.go_private)
        await self._app.push_screen(Unlock(doors, self._app.clock))

    def _in_use(self) -> bool:
        self._let_go.wait()
        with self._one_look:
            return history.in_use(self._folder)

    def unlock(self, passphrase: str) -> None:
        """Open the chats; called from a worker thread. Raises MedloraError."""
        self._let_go.wait()
        with self._one_look:
            store = history.unlock(self._folder, passphrase)
        self._open(store)

    def recover(self, code: str, passphrase: str) -> None:
        """The same by recovery code, with a new passphrase from now on."""
        self._let_go.wait()
        with self._one_look:
            store = history.recover(self._folder, code, passphrase)
        self._open(store)

    def _open(self, store: Store) -> None:
        try:
            model = self._app.chat.desk.model
            found = opened.look(store, self._left, model.manifest.sha256 if model else "")
        except MedloraError:
            store.close()
            raise
        self._app.keeper.move(lambda _: store)
        tell(self._app, self._show, found)

    async def _show(self, found: Opened) -> None:
        app = self._app
        await self._step_aside()
        app.chat.keep_as(Keeping.READ_ONLY if found.damage else Keeping.SAVED)
        if not found.reopened:  # else its last answer stays in view
            self._welcome(SAVED)
        await opened.show(app.chat, found)
        chats.recall_prompts(app)
        self._load_again()

    def go_private(self) -> None:
        """A chat that is not saved, this time."""
        self._app.run_worker(self._open_none, thread=True, group="vault")

    def _open_none(self) -> None:
        self._let_go.wait()  # else the model that is loaded again would be let go with what was locked
        tell(self._app, self._show_private)

    async def _show_private(self) -> None:
        await self._step_aside()
        self._welcome(PRIVATE_THIS_TIME)
        self._load_again()

    async def _step_aside(self) -> None:
        while self._app.locked:
            await self._app.pop_screen()
        small.watch(self._app, self._app.size)

    def _load_again(self) -> None:
        """The model that was let go with the chats."""
        if self._engine_let_go and not self._app.bench.running:
            self._engine_let_go = False
            self._app.load()

    # --- for the first time -------------------------------------------------------------------------------

    def ask_to_keep(self) -> None:
        """Passphrase and recovery code."""
        if self.may_keep:
            self._app.push_screen(Keep(self.keep))

    def keep(self, passphrase: str) -> str:
        """Keep the chats of now, and all to come; returns the recovery code. Called from a worker thread.

        Raises MedloraError; nothing has changed then.
        """
        codes: list[str] = []

        def create(private: Store) -> Store:
            store, code = history.create(self._folder, passphrase, keep=private)
            codes.append(code)
            return store

        self._app.keeper.move(create)
        self._there = True
        tell(self._app, self._app.chat.keep_as, Keeping.SAVED)
        return codes[0]

    # --- out ----------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Let go of screen, keys and engine; what an answer under way has said is kept."""
        if self.may_lock and self._let_go.is_set():
            self._let_go.clear()
            self._app.run_worker(self._lock(), group="vault")

    async def _lock(self) -> None:
        app = self._app
        chat = app.keeper.chat
        self._left = chat.id if chat else None
        left = await app.sit_down_anew()
        await self._ask()
        small.watch(app, app.size)
        self._engine_let_go = True
        app.run_worker(partial(self._close, left), thread=True, group="vault")

    def _close(self, left: Desk) -> None:
        try:
            left.give_up()
            left.keeper.close()
            if not self._app.bench.running:  # it has the engine, and nothing of a chat in it
                left.session.unload("locked")
        finally:
            self._let_go.set()
