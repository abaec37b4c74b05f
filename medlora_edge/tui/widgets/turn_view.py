"""One turn in the transcript: what was asked, what is answered, how it ended."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from medlora_edge.history import Turn, TurnState
from medlora_edge.tui.bindings import TURN_KEYS
from medlora_edge.tui.events import Ended, EngineRestarted, Said, SessionEvent, Verdict
from medlora_edge.tui.modes import mode
from medlora_edge.tui.standing import figures
from medlora_edge.tui.widgets.answer import Answer
from medlora_edge.tui.widgets.card import error_card
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
        padding: 0 1;
        margin-bottom: 1;
        border-left: blank;
        &:focus { border-left: thick $primary; }
        .who { color: $primary; text-style: bold; }
        .asked, .given-text { padding: 0 1; }
        .given-text { color: $quiet; max-height: 4; }
        .mark { color: $warning; padding: 0 1; text-style: bold; display: none; }
        .figures { color: $quiet; padding: 0 1; display: none; }
        .shown { display: block; }
    }
    """

    class Wish(Message):
        """The user wants something done with a turn: "copy", "edit" or "retry"."""

        def __init__(self, turn: Turn, what: str) -> None:
            super().__init__()
            self.turn = turn
            self.what = what

    def __init__(self, turn: Turn) -> None:
        super().__init__(id=f"turn-{turn.id}")
        self.turn = turn
        self.answer = Answer()
        self.verdict = VerdictView()
        self._mark = Plain(classes="mark")
        self._figures = Plain(classes="figures")

    def compose(self) -> ComposeResult:
        """Question above, answer below."""
        asked = self.turn.question
        kind = "" if self.turn.task == "ask" else f" \u00b7 {mode(self.turn.task).name}"
        again = " \u00b7 again" if self.turn.retry_of else ""
        yield Plain(f"You{kind}{again}", classes="who")
        for context in asked.contexts:
            yield Plain(context, classes="given-text")
        yield Plain(asked.question, classes="asked")
        if asked.options:
            yield Plain("\n".join(f"({letter}) {text}" for letter, text in asked.options.items()), classes="asked")
        yield Plain("Answer", classes="who")
        yield self.answer
        yield self.verdict
        yield self._mark
        yield self._figures

    def hear(self, event: SessionEvent) -> None:
        """Draw what was said of this turn."""
        match event:
            case Said():
                self.answer.say(event.text)
            case EngineRestarted():
                self.answer.reset()
            case Verdict():
                self.verdict.give(event.label, event.probs)
            case Ended():
                self._end(event)

    def action_wish(self, what: str) -> None:
        """Pass on what the user wants done with it."""
        self.post_message(self.Wish(self.turn, what))

    def _end(self, event: Ended) -> None:
        self.answer.reset(event.answer)
        self._say(self._mark, MARKS.get(event.state, ""))
        self._say(self._figures, figures(event))
        if event.error and event.state is not TurnState.STOPPED:
            self.mount(error_card(event.error))

    @staticmethod
    def _say(line: Plain, text: str) -> None:
        line.set_class(bool(text), "shown")
        line.show(text)
