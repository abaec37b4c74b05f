"""To keep chats, encrypted: a passphrase typed twice, then the recovery code, shown once and read back."""

from collections.abc import Callable

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from medlora_edge.errors import MedloraError
from medlora_edge.history.keys import SHORTEST_PASSPHRASE
from medlora_edge.tui.chat.sentence import sentence
from medlora_edge.tui.keeping import passphrase
from medlora_edge.tui.keys.bindings import KEEP_KEYS
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.terminal.threads import tell_screen
from medlora_edge.tui.widgets.form import Field, Form
from medlora_edge.tui.widgets.plain import plain

ABOUT = (
    "From now on chats are kept on this machine, encrypted, this one too. You are asked for the passphrase at every "
    f"start and after a pause. At least {SHORTEST_PASSPHRASE} characters; a few words are best. Nobody can reset it."
)
WRITE_DOWN = (
    "Your chats are kept. This is the recovery code: the only way in without the passphrase. Write it on paper now, "
    "keep it away from this machine. It is never shown again."
)
NOT_YET = "Write the code down first, then type the group asked for."


class Keep(Steady, ModalScreen[None]):
    """`keep` makes the store for a passphrase and returns the recovery code; it takes a second and may raise."""

    BINDINGS = KEEP_KEYS
    DEFAULT_CSS = """
    Keep { align: center middle; }
    Keep Container { height: auto; align: center middle; }
    """

    def __init__(self, keep: Callable[[str], str]) -> None:
        super().__init__()
        self._keep = keep
        self._code: str | None = None
        self._working = False
        self._asked = 0

    def compose(self) -> ComposeResult:
        """The passphrase first."""
        with Container():
            fields = (Field("Passphrase"), Field("The same again"))
            yield Form("Keep chats, encrypted", plain(ABOUT), fields, keys="Enter goes on, Esc closes")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one(Form).begin()

    @on(Form.Filled)
    def _filled(self, event: Form.Filled) -> None:
        if self._code is None:
            self._choose(*event.values)
        elif passphrase.is_group(self._code, self._asked, event.values[0]):
            self.dismiss(None)
        else:
            self.query_one(Form).refuse("That is not what the group says. Look at the paper again.")

    def _choose(self, first: str, second: str) -> None:
        try:
            words = passphrase.chosen(first, second)
        except MedloraError as error:
            self._refuse(error)
        else:
            self._working = True
            self.query_one(Form).wait("Encrypting...")
            self._make(words)

    @work(thread=True, group="keep")
    def _make(self, words: str) -> None:
        try:
            code = self._keep(words)
        except MedloraError as error:
            tell_screen(self, self._refuse, error)
        else:
            tell_screen(self, self._show, code)

    def _refuse(self, error: MedloraError) -> None:
        self._working = False
        self.query_one(Form).refuse(sentence(error))

    async def _show(self, code: str) -> None:
        self._working = False
        self._code, self._asked = code, passphrase.any_group(code)
        about = Content.assemble(WRITE_DOWN, "\n\n", (passphrase.lines(code), "bold"))
        box = self.query_one(Container)
        await box.remove_children()
        group = Field(f"Type group {self._asked} of it", secret=False)
        await box.mount(Form("Recovery code", about, (group,), keys="Enter goes on"))
        self.query_one(Form).begin()

    @property
    def held(self) -> bool:
        """Whether it must not close: between the passphrase and the code read back."""
        return self._working or self._code is not None

    def action_close(self) -> None:
        """Esc: not between the passphrase and the code read back."""
        if self._code:
            self.query_one(Form).say(NOT_YET)
        elif not self._working:
            self.dismiss(None)
