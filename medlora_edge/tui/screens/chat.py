"""The chat: what was said above, the prompt below, in between nothing that waits."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, TextArea

from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.history import TaskName, Turn
from medlora_edge.tasks import task
from medlora_edge.tui import modes, standing
from medlora_edge.tui.bindings import CHAT_KEYS
from medlora_edge.tui.budget import Budget
from medlora_edge.tui.desk import Desk, NoRoomError, Order, dropping
from medlora_edge.tui.events import Ended, EngineRestarted, ModelFailed, ModelReady, Queued, SessionEvent
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.standing import Standing
from medlora_edge.tui.threads import tell
from medlora_edge.tui.widgets.card import Card, error_card
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.prompt import Abstract, Box, Prompt
from medlora_edge.tui.widgets.status import Status
from medlora_edge.tui.widgets.transcript import Transcript
from medlora_edge.tui.widgets.turn_view import TurnView

PAUSE_SECONDS = 0.4  # in typing, after which tokens are counted and what is typed is read ahead
WELCOME = (
    "This chat is not saved: it is gone when you quit. Enter sends, Ctrl+J begins a new line, Esc stops an answer. "
    "Shift+Tab changes between open questions, PubMedQA (yes / no / maybe from an abstract) and multiple choice. "
    "F1 shows all keys, Ctrl+P all commands."
)
BUSY = "An answer is being written. Esc stops it; your text stays here."
ROOM = ("Leave out the oldest turns", "Begin a new chat with it", "Back to the text")


class ChatScreen(Screen[None]):
    """Draws what the session says; asks through the desk."""

    BINDINGS = CHAT_KEYS
    HELP = "The chat"
    AUTO_FOCUS: ClassVar[str | None] = "#prompt"

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.desk = desk
        self.standing = Standing()
        self.mode: TaskName = "ask"
        self.sending: Order | None = None
        self._pause: Timer | None = None

    # --- drawing ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Notice()
        yield Transcript()
        yield Abstract()
        yield Prompt()
        yield Status()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """A usable chat at once."""
        self.transcript.add(Card("note", WELCOME))
        self._show_mode()
        self._show(self.standing)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    @property
    def prompt(self) -> Prompt:
        """Where the next question is written."""
        return self.query_one(Prompt)

    @property
    def busy(self) -> bool:
        """Whether a question is on its way, or being answered."""
        return self.sending is not None

    def hear(self, event: SessionEvent) -> None:
        """Draw what the session says."""
        self._show(standing.hear(self.standing, event, self._clock()))
        match event:
            case ModelReady():
                self._ready(event)
            case ModelFailed():
                self._no_model(event)
            case EngineRestarted():
                fix = "nothing: the question is asked once more" if event.turn else None
                self.transcript.add(Card("warning", event.why, fix=fix))
            case Queued():
                self.desk.confirm_stop()
        number = getattr(event, "turn", None)
        if number is not None and (view := self.transcript.turn(number)):
            view.hear(event)
            self.transcript.grew()
        if isinstance(event, Ended):
            self._free()

    def trouble(self, error: MedloraError) -> None:
        """Something failed that is no answer's end."""
        self.transcript.add(error_card(error))

    def _show(self, at: Standing) -> None:
        self.standing = at
        self.desk.see(at)
        self.query_one(Status).show(at)

    def _ready(self, event: ModelReady) -> None:
        self.query_one(Notice).warn(event.warning)
        for note in filter(None, (event.warning, *event.notes)):
            self.transcript.add(Card("warning" if note == event.warning else "note", note))
        self._count_later()

    def _no_model(self, event: ModelFailed) -> None:
        if isinstance(event.error, StoppedError):
            self.transcript.add(Card("note", "The load was stopped.", fix="your next question loads the model"))
        else:
            self.trouble(event.error)

    def _free(self) -> None:
        self.sending = None
        self.refresh_bindings()
        self._count_later()

    # --- sending ------------------------------------------------------------------------------------------

    @on(Prompt.Sent)
    def send(self) -> None:
        """Ask what is in the prompt; while an answer is written it is refused and stays."""
        text = self.prompt.text
        if not text.strip():
            return
        if self.busy:
            self.notify(BUSY, severity="warning", markup=False)
            return
        question = modes.question(self.mode, text, self.query_one(Abstract).text)
        try:
            task(self.mode).messages(question)
        except MedloraError as error:
            self.notify(f"{error.what.capitalize()}.", severity="warning", markup=False)
            return
        self.prompt.recall.add(text)
        self.prompt.fill("")
        self.begin(Order(self.mode, question, draft=text))

    def begin(self, order: Order) -> None:
        """Send an order, one at a time."""
        self.sending = order
        self.desk.take()
        self.refresh_bindings()
        self._send(order)

    @work(thread=True, group="send")
    def _send(self, order: Order) -> None:
        try:
            self.desk.send(order, lambda turn: tell(self.app, self._begun, turn))
        except NoRoomError as error:
            tell(self.app, self._offer_room, order, error)
        except MedloraError as error:
            tell(self.app, self._refused, order, error)

    def _begun(self, turn: Turn) -> None:
        self.transcript.add(TurnView(turn))
        self.transcript.scroll_part.scroll_end(animate=False)

    def _refused(self, order: Order, error: MedloraError) -> None:
        self._give_back(order)
        if not isinstance(error, StoppedError):
            self.trouble(error)

    def _offer_room(self, order: Order, error: NoRoomError) -> None:
        self._give_back(order)

        def answered(chosen: int | None) -> None:
            if chosen == answers.index(ROOM[2]) or chosen is None:
                return
            if answers[chosen] == ROOM[1]:
                self.begin_chat()
            if order.draft:
                self.prompt.fill("")
            self.begin(dropping(order))

        answers = list(ROOM if error.earlier else ROOM[2:])
        about = f"{error.what}. Nothing is cut without your word."
        self.app.push_screen(Choice("This does not fit into the context", about, answers), answered)

    def _give_back(self, order: Order) -> None:
        """The draft returns, before what was typed meanwhile."""
        if order.draft:
            self.prompt.fill("\n".join(filter(None, (order.draft, self.prompt.text))))
        self._free()

    def retry(self, turn: Turn) -> None:
        """Ask the same again; both answers stay."""
        if self.busy:
            self.notify(BUSY, severity="warning", markup=False)
        else:
            self.prompt.focus()
            self.begin(Order(turn.task, turn.question, retry_of=turn.id))

    def edit(self, turn: Turn) -> None:
        """Put a question back into the prompt."""
        if self.prompt.text.strip():
            self.notify("The prompt holds a draft: send it or delete it first.", severity="warning", markup=False)
            return
        self._set_mode(turn.task)
        asked = turn.question
        options = "".join(f"\n({letter}) {text}" for letter, text in asked.options.items())
        self.query_one(Abstract).fill("\n\n".join(asked.contexts))
        self.prompt.fill(asked.question + options)
        self.prompt.focus()

    @on(TurnView.Wish)
    def grant(self, wish: TurnView.Wish) -> None:
        """A key was pressed on a turn."""
        match wish.what:
            case "retry":
                self.retry(wish.turn)
            case "edit":
                self.edit(wish.turn)
            case "copy":
                view = self.transcript.turn(wish.turn.id)
                self.app.copy_to_clipboard(view.answer.text if view else "")

    # --- while typing -------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self.prompt.border_subtitle = modes.seen(self.mode, self.prompt.text)
        self._count_later()

    @on(Box.Refused)
    def _paste_refused(self, refused: Box.Refused) -> None:
        self.notify(refused.why, severity="warning", markup=False)

    def _count_later(self) -> None:
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_SECONDS, self._paused)

    def _paused(self) -> None:
        if self.standing.ready:
            self._count(Order(self.mode, modes.question(self.mode, self.prompt.text, self.query_one(Abstract).text)))

    @work(thread=True, exclusive=True, group="count")
    def _count(self, order: Order) -> None:
        budget = self.desk.budget(order.task, order.question)
        tell(self.app, self._show_budget, budget)
        if not self.busy and (order.question.question or order.question.contexts):
            self.desk.read_ahead(order.task, order.question)

    def _show_budget(self, budget: Budget | None) -> None:
        self._show(replace(self.standing, budget=budget))

    # --- keys ---------------------------------------------------------------------------------------------

    async def action_stop(self) -> None:
        """Esc while something is under way."""
        await self.run_action("app.escape")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Stop is offered only where there is something to stop."""
        return self.busy or self.standing.loading if action == "stop" else True

    def action_next_mode(self) -> None:
        """Ask, PubMedQA, multiple choice, and round."""
        self._set_mode(modes.after(self.mode))

    def _set_mode(self, name: TaskName) -> None:
        self.mode = name
        self._show_mode()
        self._typed()

    def _show_mode(self) -> None:
        mode = modes.mode(self.mode)
        abstract = self.query_one(Abstract)
        abstract.set_class(mode.abstract, "shown")
        self.prompt.border_title = mode.name
        self.prompt.placeholder = mode.hint
        (abstract if mode.abstract and not abstract.text else self.prompt).focus()

    def action_new_chat(self) -> None:
        """Begin anew; asks where turns would be lost."""
        if self.busy:
            self.notify(BUSY, severity="warning", markup=False)
        elif not self.transcript.turns():
            self.begin_chat()
        else:
            about = "This chat is not saved: it is gone then. Export it first to keep it."
            ask = Choice("Begin a new chat?", about, ("Begin a new chat", "Go on with this one"))
            self.app.push_screen(ask, lambda chosen: self.begin_chat() if chosen == 0 else None)

    def begin_chat(self) -> None:
        """An empty chat; the draft stays."""
        self.desk.new_chat()
        self.transcript.scroll_part.remove_children()
        if self.standing.warning:
            self.transcript.add(Card("warning", self.standing.warning))
        self._count_later()

    def action_scroll_chat(self, how: str) -> None:
        """Move in the transcript, from wherever the focus is."""
        getattr(self.transcript.scroll_part, f"scroll_{how}")(animate=False)

    def action_walk(self, step: int) -> None:
        """Go from turn to turn."""
        turns = self.transcript.turns()
        if not turns:
            return
        at = turns.index(self.focused) if isinstance(self.focused, TurnView) else len(turns)
        if at + step >= len(turns):
            self.prompt.focus()
        else:
            turns[max(0, at + step)].focus()
