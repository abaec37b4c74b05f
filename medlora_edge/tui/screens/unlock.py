"""The kept chats are locked: passphrase, or recovery code with a new one, or private this time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from medlora_edge.errors import MedloraError
from medlora_edge.tui.chat.sentence import sentence
from medlora_edge.tui.keeping import passphrase
from medlora_edge.tui.keys.bindings import UNLOCK_KEYS
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.terminal.threads import tell_screen
from medlora_edge.tui.widgets.form import Field, Form
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.plain import plain

LOCKED = "Chats are kept here, encrypted. F3 if the passphrase is lost; F6 for a chat that is not saved."
LOST = "Type the recovery code from your paper and a new passphrase; the code stays valid."
CODE = "Recovery code, eight groups of four"
IN_USE = "The chats are in use by another process: close the other window, or press F6."
LOOKS_SECONDS = 0.25  # between two looks at how long the next try must wait


@dataclass(frozen=True)
class Doors:
    """What the screen opens the chats with: all but `go_private` take their time, the first two raise MedloraError."""

    unlock: Callable[[str], None]
    recover: Callable[[str, str], None]
    wait_seconds: Callable[[], float]
    in_use: Callable[[], bool]
    go_private: Callable[[], object]


class Unlock(Steady, Screen[None]):
    """Stands in front of everything until the chats are open; nothing of them is behind it."""

    BINDINGS = UNLOCK_KEYS
    HELP = "Locked"
    AUTO_FOCUS: ClassVar[str | None] = None
    DEFAULT_CSS = """
    Unlock Container { align: center middle; height: 1fr; }
    """

    def __init__(self, doors: Doors, clock: Callable[[], float]) -> None:
        super().__init__()
        self._doors = doors
        self._clock = clock
        self._recovering = False
        self._working = False
        self._said = ""
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        """The passphrase first."""
        yield Notice()
        with Container():
            first = (Field("Passphrase"),)
            yield Form("Your chats are locked", plain(LOCKED), first, keys="Enter unlocks", name="passphrase")
            lost = (Field(CODE, secret=False), Field("New passphrase"), Field("The same again"))
            yield Form("Recovery", plain(LOST), lost, keys="Enter goes on, Esc goes back", name="code")
        yield Keys()

    def on_mount(self) -> None:
        """A pause that was due before the app was started still is; another instance is told of at once."""
        self._ask_for(code=False)
        self.set_interval(LOOKS_SECONDS, self._count_down)
        self._look()

    @on(Form.Filled)
    def _filled(self, event: Form.Filled) -> None:
        if self._clock() < self._not_before or self._working:
            return
        if not self._recovering:
            self._open(partial(self._doors.unlock, *event.values))
            return
        code, first, second = event.values
        try:
            words = passphrase.chosen(first, second)
        except MedloraError as error:
            self._refuse(error, 0.0)
        else:
            self._open(partial(self._doors.recover, code, words))

    def _open(self, door: Callable[[], None]) -> None:
        self._working = True
        self.form.wait("Opening...")
        self._try(door)

    @work(thread=True, group="unlock")
    def _try(self, door: Callable[[], None]) -> None:
        try:
            door()
        except MedloraError as error:
            tell_screen(self, self._refuse, error, self._doors.wait_seconds())

    @work(thread=True, group="unlock")
    def _look(self) -> None:
        if self._doors.in_use():
            tell_screen(self, self._pause, IN_USE, 0.0)
        elif seconds := self._doors.wait_seconds():
            tell_screen(self, self._pause, "A wrong passphrase was typed before.", seconds)

    def _refuse(self, error: MedloraError, seconds: float) -> None:
        self._working = False
        words = sentence(error, fix=not seconds)
        self.form.refuse(words)
        self._pause(words, seconds)

    def _pause(self, words: str, seconds: float) -> None:
        self._said, self._not_before = words, self._clock() + seconds
        self._count_down()

    def _count_down(self) -> None:
        left = math.ceil(self._not_before - self._clock())
        if self._said and not self._working:
            self.form.say(f"{self._said} Try again in {left} s." if left > 0 else self._said)

    def action_recovery_code(self) -> None:
        """F3."""
        self._ask_for(code=True)

    def action_back(self) -> None:
        """Esc."""
        self._ask_for(code=False)

    def action_private(self) -> None:
        """F6."""
        if not self._working:
            self._working = True
            self._doors.go_private()

    @property
    def form(self) -> Form:
        """The one that is shown."""
        return self.query_one("#code" if self._recovering else "#passphrase", Form)

    def _ask_for(self, *, code: bool) -> None:
        if self._working:
            return
        self._recovering = code
        for form in self.query(Form):
            form.display = form is self.form
        self.form.refuse("")
        if self._clock() >= self._not_before:
            self._said = ""
        self._count_down()
