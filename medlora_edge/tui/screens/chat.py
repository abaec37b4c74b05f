"""The chat: what was said above, the prompt below, in between nothing that waits."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, ParamSpec

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widgets import TextArea

from medlora_edge.errors import MedloraError
from medlora_edge.history import Chat, TaskName
from medlora_edge.tasks import Question
from medlora_edge.tui.chat import modes
from medlora_edge.tui.chat.note import Note, of_error
from medlora_edge.tui.chat.standing import Keeping, Standing
from medlora_edge.tui.keeping.desk import Desk
from medlora_edge.tui.keeping.draft import Draft
from medlora_edge.tui.keeping.reopening import Reopened
from medlora_edge.tui.keys.bindings import CHAT_KEYS
from medlora_edge.tui.screens import hearing
from medlora_edge.tui.screens.asking import BUSY, EDITS, Asking
from medlora_edge.tui.screens.counting import Counting
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.session.events import SessionEvent
from medlora_edge.tui.terminal.threads import tell_screen
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.prompt import Abstract, Box, Prompt
from medlora_edge.tui.widgets.status import Status
from medlora_edge.tui.widgets.transcript import Transcript
from medlora_edge.tui.widgets.turn_view import TurnView

P = ParamSpec("P")


class ChatScreen(Steady, Screen[None]):
    """Draws what the session says; asks through the desk."""

    BINDINGS = CHAT_KEYS
    HELP = "The chat"
    AUTO_FOCUS: ClassVar[str | None] = "#prompt"
    DEFAULT_CSS = """
    ChatScreen { overflow: hidden; }
    """

    class WentBack(Message):
        """The desk holds the model that worked before: it is to be loaded again."""

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.desk = desk
        self.standing = Standing()
        self.mode: TaskName = "ask"
        self.asking = Asking(self)
        self.counting = Counting(self)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Notice()
        yield Transcript()
        yield Abstract()
        yield Prompt()
        yield Status()
        yield Keys()

    def on_mount(self) -> None:
        """A usable chat at once."""
        self._show_mode()
        self.show(self.standing)

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
        return self.asking.sending is not None

    def tell(self, do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """From a worker thread: do it on the screen's thread, unless the screen is gone."""
        tell_screen(self, do, *args, **kwargs)

    # --- what the session says ----------------------------------------------------------------------------

    def hear(self, event: SessionEvent) -> None:
        """Draw what the session says."""
        hearing.hear(self, event, self._clock())

    def trouble(self, error: MedloraError) -> None:
        """Something failed that is no answer's end."""
        self.transcript.add(of_error(error))

    def show(self, at: Standing) -> None:
        """Draw the status line."""
        if at.loading != self.standing.loading:  # what Esc does changes
            self.refresh_bindings()
        self.standing = at
        self.desk.see(at)
        self.query_one(Status).show(at)

    # --- what is typed ------------------------------------------------------------------------------------

    def question(self) -> Question:
        """What is typed so far."""
        return modes.question(self.mode, self.prompt.text, self.query_one(Abstract).text)

    def write(self, task: TaskName, text: str, abstract: str) -> None:
        """Put a question into the prompt."""
        self.query_one(Abstract).fill(abstract)
        self.prompt.fill(text)
        self._set_mode(task)  # notes the draft as well
        self.prompt.focus()

    @property
    def abstract_unasked(self) -> bool:
        """Whether the abstract is one that no question was about: nothing else holds it."""
        typed = modes.question("pubmedqa", "", self.query_one(Abstract).text).contexts
        shown = {view.turn.question.contexts for view in self.transcript.turns()}
        return bool(typed) and typed not in self.asking.abstracts | shown

    @on(Prompt.Sent)
    def send(self) -> None:
        """Enter."""
        self.asking.send()

    @on(TurnView.Wish)
    def grant(self, wish: TurnView.Wish) -> None:
        """A key was pressed on a turn."""
        self.asking.grant(wish)

    @on(Transcript.Chosen)
    def _shown(self) -> None:
        """Other answers are shown: the next question builds on those."""
        self.desk.shown = self.transcript.shown
        self.counting.later()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self.prompt.border_subtitle = modes.seen(self.mode, self.prompt.text)
        if not self.prompt.text:
            self.asking.edit_no_more()
        self.note_draft()
        self.counting.later()

    @on(Box.Refused)
    def _paste_refused(self, refused: Box.Refused) -> None:
        self.notify(refused.why, severity="warning", markup=False)

    def draft(self) -> Draft:
        """What would be lost if it were not kept."""
        chat = self.desk.keeper.chat
        text = "\n".join(filter(None, (self.asking.unkept, self.prompt.text)))
        return Draft(self.mode, text, self.query_one(Abstract).text, chat.id if chat else None, self.asking.edits)

    def note_draft(self) -> None:
        """Have it kept."""
        self.desk.keeper.draft = self.draft()

    # --- which chat ---------------------------------------------------------------------------------------

    def welcome(self, words: str) -> None:
        """What a user must know at the beginning."""
        self.transcript.add(Note("note", words))

    def keep_as(self, keeping: Keeping) -> None:
        """Say what becomes of the chat."""
        self.show(replace(self.standing, keeping=keeping))
        self.refresh_bindings()

    def begin_chat(self) -> None:
        """An empty chat; the draft stays."""
        self._turn_to(None)
        self.transcript.clear()

    async def open_chat(self, found: Reopened) -> None:
        """A chat of before; with a reason it is only read. Not while an answer is written."""
        self._turn_to(found.chat)
        self.asking.why_not = found.why_read_only
        self.transcript.open(found.turns, found.turn)
        if found.why_read_only:
            self.transcript.add(Note("warning", found.why_read_only))

    def _turn_to(self, chat: Chat | None) -> None:
        self.desk.turn_to(chat)
        self.asking.why_not = None
        self.asking.edit_no_more()
        self.note_draft()
        self.counting.later()

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

    def entitle(self) -> None:
        """Say what the prompt is for."""
        self.prompt.border_title = modes.mode(self.mode).name + (EDITS if self.asking.edits else "")

    def _show_mode(self) -> None:
        mode = modes.mode(self.mode)
        abstract = self.query_one(Abstract)
        abstract.set_class(mode.abstract, "shown")
        self.entitle()
        self.prompt.placeholder = mode.hint
        (abstract if mode.abstract and not abstract.text else self.prompt).focus()

    def action_new_chat(self) -> None:
        """Begin anew; what was said before stays in the history."""
        if self.busy:
            self.notify(BUSY, severity="warning", markup=False)
        else:
            self.begin_chat()

    def action_scroll_chat(self, how: str) -> None:
        """Move in the transcript, from wherever the focus is."""
        self.transcript.move(how)

    def action_unfold(self) -> None:
        """Ctrl+O, and Space on a turn: its whole abstract, or its beginning again."""
        self.transcript.unfold()

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
