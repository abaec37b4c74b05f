"""One turn in the transcript: what was asked, what is answered, how it ended."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from medlora_edge.errors import MedloraError
from medlora_edge.history import Turn, TurnState
from medlora_edge.tui.chat.chatlog import unfinished
from medlora_edge.tui.chat.modes import mode
from medlora_edge.tui.chat.note import of_error
from medlora_edge.tui.chat.standing import figures
from medlora_edge.tui.keys.bindings import TURN_KEYS
from medlora_edge.tui.session.events import Ended, EngineRestarted, Said, SessionEvent, Verdict
from medlora_edge.tui.widgets.answer import Answer
from medlora_edge.tui.widgets.card import Card
from medlora_edge.tui.widgets.folded import Folded
from medlora_edge.tui.widgets.plain import Plain
from medlora_edge.tui.widgets.verdict import VerdictView

LEFT_OUT = "The model is not shown it in what you ask next."
MARKS = {
    TurnState.STOPPED: f"Stopped by you. {LEFT_OUT}",
    TurnState.CUT: f"Cut at the token limit. {LEFT_OUT}",
    TurnState.FAILED: f"Failed. {LEFT_OUT}",
    TurnState.INTERRUPTED: f"Interrupted. {LEFT_OUT}",
}


class TurnView(Vertical, can_focus=True):
    """Draws a turn from the session's events."""

    BINDINGS = TURN_KEYS
    HELP = "A turn of the chat"
    DEFAULT_CSS = """
    TurnView {
        height: auto;
        max-width: 110;
        padding: 0 1;
        margin-bottom: 1;
        border-left: blank;
        &:focus { border-left: thick $primary; }
        .who { color: $primary; text-style: bold; }
        .asked { padding: 0 1; }
        .mark { color: $warning; padding: 0 1; text-style: bold; display: none; }
        .figures { color: $quiet; padding: 0 1; display: none; }
        .shown { display: block; }
    }
    """

    class Wish(Message):
        """The user wants something done with a turn: "copy", "edit", "retry" or "go on"."""

        def __init__(self, turn: Turn, what: str) -> None:
            super().__init__()
            self.turn = turn
            self.what = what

    class Walk(Message):
        """The user wants to see the next variant (`step` 1) or the one before (-1)."""

        def __init__(self, turn: Turn, step: int) -> None:
            super().__init__()
            self.turn = turn
            self.step = step

    def __init__(self, turn: Turn, *, variant: tuple[int, int] = (1, 1), error: MedloraError | None = None) -> None:
        super().__init__()
        self.turn = turn
        self.variant = variant
        self.going = False
        self.answer = Answer(turn.answer)
        self.verdict = VerdictView()
        self._error = error
        self._abstract = Folded("\n".join(turn.question.contexts))
        self._mark = Plain(classes="mark")
        self._figures = Plain(classes="figures")
        self._trouble = Card()

    def compose(self) -> ComposeResult:
        """Question above, answer below."""
        asked = self.turn.question
        kind = "" if self.turn.task == "ask" else f" \u00b7 {mode(self.turn.task).name}"
        yield Plain(f"You{kind}", classes="who")
        yield self._abstract
        yield Plain(asked.question, classes="asked")
        if asked.options:
            yield Plain("\n".join(f"({letter}) {text}" for letter, text in asked.options.items()), classes="asked")
        number, variants = self.variant
        yield Plain(f"Answer {number} of {variants} \u00b7 [ and ] change" if variants > 1 else "Answer", classes="who")
        yield self.verdict
        yield self.answer
        yield self._mark
        yield self._figures
        yield self._trouble

    def on_mount(self) -> None:
        """What is known of it already."""
        self._end()

    def hear(self, event: SessionEvent, turn: Turn) -> None:
        """Draw what was said; `turn` is the turn after it."""
        self.turn = turn
        match event:
            case Said():
                self.answer.say(event.text)
            case EngineRestarted():
                self.answer.reset()
            case Verdict():
                self.verdict.give(turn)
            case Ended():
                self._error = event.error
                self.answer.reset(event.answer)
                self._end()

    def unfold(self) -> bool:
        """Show the whole abstract, or its beginning again; False where all of it is in view anyway."""
        return self._abstract.toggle()

    def action_wish(self, what: str) -> None:
        """Pass on what the user wants done with it."""
        self.post_message(self.Wish(self.turn, what))

    def action_variant(self, step: int) -> None:
        """`[` and `]`."""
        self.post_message(self.Walk(self.turn, step))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are offered where they do something."""
        if action == "variant":
            return self.variant[1] > 1
        return unfinished(self.turn) if parameters == ("go on",) else True

    def _end(self) -> None:
        state = self.turn.state
        self.verdict.give(self.turn)
        self._say(self._mark, MARKS.get(state, ""))
        self._say(self._figures, figures(self.turn.timings))
        if self._error and state is not TurnState.STOPPED:
            self._trouble.tell(of_error(self._error))
        self.refresh_bindings()

    @staticmethod
    def _say(line: Plain, text: str) -> None:
        line.set_class(bool(text), "shown")
        line.show(text)
