"""A few fields one below the other: Enter goes to the next, in the last one it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from medlora_edge.tui.widgets.plain import Plain, plain


@dataclass(frozen=True)
class Field:
    """`secret`: what is typed is not shown."""

    label: str
    secret: bool = True


class Form(Vertical):
    """`about` stands above the fields, what went wrong below them."""

    DEFAULT_CSS = """
    Form {
        width: 66; max-width: 100%; height: auto;
        border: round $primary; padding: 0 1; background: $panel;
        Input { border: none; border-left: outer $secondary; height: 1; background: $background; margin-bottom: 1; }
        Input:focus { border: none; border-left: outer $primary; background-tint: $primary 12%; }
        .label { color: $primary; }
        .about { margin-bottom: 1; }
        .wrong { color: $error; text-style: bold; display: none; }
        .wrong.shown { display: block; }
    }
    """

    class Filled(Message):
        """Enter was pressed in the last field."""

        def __init__(self, values: tuple[str, ...]) -> None:
            super().__init__()
            self.values = values

    def __init__(self, title: str, about: Content, fields: Sequence[Field], *, keys: str, name: str = "form") -> None:
        super().__init__(id=name)
        self.border_title = title
        self.border_subtitle = keys
        self._about = about
        self._fields = fields

    def compose(self) -> ComposeResult:
        """About, fields, what went wrong."""
        about = Plain(classes="about")
        about.update(self._about)
        yield about
        for field in self._fields:
            yield Plain(field.label, classes="label")
            yield Input(password=field.secret)
        yield Plain(classes="wrong")

    @property
    def inputs(self) -> list[Input]:
        """The fields."""
        return list(self.query(Input))

    def on_mount(self) -> None:
        """No blinking: it repaints for nothing."""
        for field in self.inputs:
            field.cursor_blink = False

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        inputs = self.inputs
        after = inputs.index(event.input) + 1
        if after < len(inputs):
            inputs[after].focus()
        else:
            self.post_message(self.Filled(tuple(field.value for field in inputs)))

    def wait(self, words: str) -> None:
        """Take nothing while it is worked on."""
        for field in self.inputs:
            field.disabled = True
        self.say(words)

    def begin(self) -> None:
        """Take what is typed, from the first field on."""
        for field in self.inputs:
            field.disabled = False
            field.value = ""
        self.inputs[0].focus()

    def refuse(self, words: str) -> None:
        """Begin again, after these words."""
        self.begin()
        self.say(words)

    def say(self, words: str) -> None:
        """Say something below the fields."""
        line = self.query_one(".wrong", Plain)
        line.set_class(bool(words), "shown")
        line.update(plain(words))
