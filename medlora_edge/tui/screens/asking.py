"""From Enter to an answer under way: one question at a time, and a draft that comes back when it is not taken."""

from functools import partial
from typing import TYPE_CHECKING

from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.history import Turn
from medlora_edge.tasks import task
from medlora_edge.tui.chat import modes
from medlora_edge.tui.chat.note import of_error
from medlora_edge.tui.chat.sentence import sentence
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keeping.desk import NoRoomError, Order, alone, dropping
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.widgets.turn_view import TurnView

if TYPE_CHECKING:
    from medlora_edge.tui.screens.chat import ChatScreen

BUSY = "An answer is being written. Esc stops it; your text stays here."
LENT = "A bench is running: F5 shows and stops it. Your text stays here."
DAMAGED = "The kept chats are damaged: they can be read and exported, nothing can be asked in them."
DRAFT = "The prompt holds a draft: send it or delete it first."
ABSTRACT = "The abstract of PubMedQA mode was not asked about yet: send it or delete it first."
EDITS = " \u00b7 edits an earlier question; emptied it asks a new one"
ROOM = ("Leave out the oldest turns", "Begin a new chat with it", "Back to the text")


class Asking:
    """What the chat screen does with a question. `sending` is the order on its way or being answered; `edits`: the turn
    whose question is being changed in the prompt; `abstracts`: contexts that turns of any chat hold.
    """

    def __init__(self, chat: "ChatScreen") -> None:
        self._chat = chat
        self.sending: Order | None = None
        self.edits: int | None = None
        self.abstracts: set[tuple[str, ...]] = set()
        self._kept = False
        self.why_not: str | None = None

    @property
    def unkept(self) -> str:
        """What was typed for a question that is not in the store yet."""
        return self.sending.draft if self.sending and not self._kept else ""

    def send(self) -> None:
        """Ask what is in the prompt; while that cannot be it is refused and stays."""
        chat = self._chat
        text, question = chat.prompt.text, chat.question()
        if not text.strip() or self._refuse():
            return
        try:
            task(chat.mode).messages(question)
        except MedloraError as error:
            chat.notify(sentence(error, fix=False), severity="warning", markup=False)
            return
        order = Order(chat.mode, question, draft=text, retry_of=self.edits)
        chat.prompt.recall.add(text)
        chat.prompt.fill("")
        self.edit_no_more()
        self.begin(order)

    def grant(self, wish: TurnView.Wish) -> None:
        """What a user wants done with a turn."""
        match wish.what:
            case "retry":
                self.retry(wish.turn)
            case "edit":
                self.edit(wish.turn)
            case "copy":
                self._chat.app.copy_to_clipboard(wish.turn.answer)
            case "go on":
                self.go_on(wish.turn)

    def retry(self, turn: Turn) -> None:
        """Ask the same again; both answers stay."""
        if not self._refuse():
            self._chat.prompt.focus()
            self.begin(Order(turn.task, turn.question, retry_of=turn.id))

    def go_on(self, turn: Turn) -> None:
        """Have an answer that was stopped or cut written on: a variant that begins with what there is."""
        if not self._refuse():
            self._chat.prompt.focus()
            self.begin(Order(turn.task, turn.question, retry_of=turn.id, begun=turn.answer))

    def edit(self, turn: Turn) -> None:
        """Put a question back into the prompt; sent from there it becomes a variant beside what it was."""
        chat, asked = self._chat, turn.question
        if chat.prompt.text.strip() or chat.abstract_unasked:
            chat.notify(DRAFT if chat.prompt.text.strip() else ABSTRACT, severity="warning", markup=False)
            return
        self.abstracts.add(asked.contexts)
        chat.write(turn.task, modes.typed(asked), "\n\n".join(asked.contexts))
        self.edit_on(turn.id)

    def edit_on(self, turn: int | None) -> None:
        """What is in the prompt changes that turn's question."""
        self.edits = turn
        self._chat.entitle()

    def edit_no_more(self) -> None:
        """What is typed from now on is a new question."""
        if self.edits is not None:
            self.edit_on(None)

    def begin(self, order: Order) -> None:
        """Send an order, one at a time."""
        self.sending, self._kept = order, False
        self._chat.desk.take(order)
        self._chat.refresh_bindings()
        self._chat.run_worker(partial(self._send, order), thread=True, group="send", exit_on_error=True)

    def stop(self) -> None:
        """Stop what is under way; a question that is not kept yet comes back at once, whatever the engine is at."""
        self._chat.desk.stop()
        if self.sending and not self._kept:
            self._give_back(self.sending)

    def free(self) -> None:
        """The next one may be asked."""
        self.sending = None
        self._chat.refresh_bindings()
        self._chat.counting.later()

    def _refuse(self) -> bool:
        damaged = DAMAGED if self._chat.standing.keeping is Keeping.READ_ONLY else None
        lent = LENT if self._chat.desk.session.lent else None
        why = self.why_not or damaged or lent or (BUSY if self.sending else None)
        if why:
            self._chat.notify(why, severity="warning", markup=False)
        return why is not None

    def _send(self, order: Order) -> None:
        chat = self._chat
        try:
            chat.desk.send(order, lambda turn: chat.tell(self._begun, order, turn))
        except NoRoomError as error:
            chat.tell(self._offer_room, order, error)
        except MedloraError as error:
            chat.tell(self._refused, order, error)

    def _begun(self, order: Order, turn: Turn) -> None:
        self.abstracts.add(turn.question.contexts)
        if order is self.sending:
            self._kept = True
        else:  # it was stopped and came back as a draft while it was being kept
            self._take_out(order)
        self._chat.note_draft()
        self._chat.transcript.begin(turn)

    def _refused(self, order: Order, error: MedloraError) -> None:
        if order is not self.sending:  # it was stopped, and came back then
            return
        self._give_back(order)
        if not isinstance(error, StoppedError):
            self._chat.transcript.add(of_error(error))

    def _offer_room(self, order: Order, error: NoRoomError) -> None:
        if order is not self.sending:
            return
        self._give_back(order)

        def answered(chosen: int | None) -> None:
            if chosen is None or answers[chosen] == ROOM[2]:
                return
            self._take_out(order)
            if answers[chosen] == ROOM[1]:
                self._chat.begin_chat()
                self.begin(alone(order))
            else:
                self.begin(dropping(order))

        answers = list(ROOM if error.earlier else ROOM[2:])
        about = f"{error.what}. Nothing is cut without your word."
        self._chat.app.push_screen(Choice("This does not fit into the context", about, answers), answered)

    def _take_out(self, order: Order) -> None:
        """The draft leaves the prompt, unless it was edited; what was typed behind it stays, as a new question."""
        prompt = self._chat.prompt
        if order.draft and f"{prompt.text}\n".startswith(f"{order.draft}\n"):
            prompt.fill(prompt.text.removeprefix(order.draft).removeprefix("\n"))
            self.edit_no_more()

    def _give_back(self, order: Order) -> None:
        """The draft returns, before what was typed meanwhile."""
        if order.draft:
            self.edit_on(order.retry_of)
            prompt = self._chat.prompt
            prompt.fill("\n".join(filter(None, (order.draft, prompt.text))))
        self.free()
