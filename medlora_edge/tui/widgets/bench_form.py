"""What is to be measured: model, data, mode, how many questions."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Select

from medlora_edge.bench.kinds import Mode, Origin
from medlora_edge.models import Model
from medlora_edge.privacy import clean
from medlora_edge.tui.about_models.wishes import DATA, MODES, Choices, Wishes
from medlora_edge.tui.widgets.plain import Plain, plain


class BenchForm(Vertical):
    """Empty until it is told what there is to choose from."""

    HELP = "A new run"
    DEFAULT_CSS = """
    BenchForm {
        height: auto;
        Horizontal { height: 1; border-left: blank; padding-right: 1; }
        Horizontal:focus-within { border-left: outer $primary; }
        .name { width: 11; }
        Select, Input { width: 1fr; }
        Select > SelectCurrent { background: $panel; }
        Select:focus > SelectCurrent { text-style: reverse; }
        Input { background: $panel; }
        .warning { color: $warning; text-style: bold; padding: 0 1; }
        Button { margin: 1 0 0 12; color: $primary; }
        Button:focus { text-style: bold reverse; }
    }
    """

    class Start(Message):
        """The user wants this measured."""

        def __init__(self, wishes: Wishes) -> None:
            super().__init__()
            self.wishes = wishes

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, Model] = {}

    def compose(self) -> ComposeResult:
        """One line each, what must be known of the choice, and the button."""
        yield _row("Model", Select[str]([], id="model", compact=True, prompt="none"))
        yield _row("Data", Select[Origin]([], id="data", compact=True, prompt="none"))
        modes = [(Text(words), mode) for mode, words in MODES.items()]
        yield _row("Mode", Select[Mode](modes, id="mode", compact=True, allow_blank=False))
        limit = Input(id="limit", compact=True, type="integer", placeholder="all; or a number: labels in proportion")
        yield _row("Questions", limit)
        yield Plain(id="warnings", classes="warning")
        yield Button(plain("[ Start ]"), id="start", compact=True, disabled=True)

    def offer(self, choices: Choices) -> None:
        """Say what there is; the first of each is chosen."""
        self._models = {model.name: model for model in choices.models}
        for field, options in (
            ("#model", [(Text(clean(name)), name) for name in self._models]),
            ("#data", [(Text(DATA[origin]), origin) for origin in choices.data]),
        ):
            select = self.query_one(field, Select)
            select.set_options(options)
            select.value = options[0][1]
        self.query_one("#start", Button).disabled = False

    @property
    def wishes(self) -> Wishes | None:
        """What is chosen; None while something is missing."""
        model, data, mode = (self.query_one(name, Select).selection for name in ("#model", "#data", "#mode"))
        typed = self.query_one("#limit", Input).value
        if not (model and data and mode) or (typed and not (typed.isdecimal() and int(typed))):
            return None
        return Wishes(self._models[model], data, mode, int(typed) if typed else None)

    @on(Select.Changed)
    def _changed(self) -> None:
        wishes = self.wishes
        self.query_one("#warnings", Plain).show("\n".join(wishes.warnings) if wishes else "")

    @on(Button.Pressed)
    @on(Input.Submitted)
    def _start(self) -> None:
        if wishes := self.wishes:
            self.post_message(self.Start(wishes))
        else:
            self.notify("Questions: a whole number above 0, or nothing for all.", severity="warning", markup=False)


def _row(name: str, field: Select[str] | Select[Origin] | Select[Mode] | Input) -> Horizontal:
    return Horizontal(Plain(name, classes="name"), field)
