"""Keeps what is said: the question before anything is computed, the answer at least every second, its end at once."""

from collections.abc import Callable
from threading import Lock

from medlora_edge.errors import MedloraError
from medlora_edge.history import Chat, Store, TaskName, Turn
from medlora_edge.tasks import Question, prompts_sha256
from medlora_edge.tui.conversation import title
from medlora_edge.tui.events import Ended, EngineRestarted, Said, SessionEvent


class Keeper:
    """One chat in a store. `begin` and `flush` wait for the disk: call them from worker threads.

    `on_trouble` is told what could not be kept; the answer goes on being shown.
    """

    def __init__(self, store: Store, on_trouble: Callable[[MedloraError], None]) -> None:
        self.store = store
        self.chat: Chat | None = None
        self._on_trouble = on_trouble
        self._lock = Lock()
        self._turn: int | None = None
        self._text = ""
        self._kept = ""

    @property
    def behind(self) -> bool:
        """Whether words were said that are not kept yet."""
        return self._text != self._kept

    def begin(
        self, name: TaskName, question: Question, *, model: str, sha256: str, retry_of: int | None = None
    ) -> Turn:
        """Keep a question; the chat begins with its first one. Raises MedloraError."""
        if self.chat is None:
            chat = self.store.new_chat(model, sha256)
            self.store.rename(chat.id, title(question))
            self.chat = chat
        return self.store.begin(
            self.chat.id,
            name,
            question,
            model_sha256=sha256,
            prompts_sha256=prompts_sha256(name),
            retry_of=retry_of,
        )

    def turns(self) -> tuple[Turn, ...]:
        """Turns of the chat so far. Raises MedloraError."""
        return self.store.turns(self.chat.id) if self.chat else ()

    def hear(self, event: SessionEvent) -> None:
        """Note what was said, keep what has ended; called from the session's thread."""
        match event:
            case Said():
                with self._lock:
                    self._text = (self._text if self._turn == event.turn else "") + event.text
                    self._turn = event.turn
            case EngineRestarted():
                self._forget()
            case Ended():
                self._forget()
                self._try(lambda: self._end(event))

    def flush(self) -> None:
        """Keep the words said so far."""
        with self._lock:
            turn, text = self._turn, self._text
        if turn is not None and text != self._kept:
            self._try(lambda: self.store.save_answer(turn, text))
            self._kept = text

    def _end(self, event: Ended) -> None:
        self.store.end(
            event.turn,
            event.state,
            event.answer,
            label=event.label,
            label_probs=event.label_probs,
            timings=event.timings,
        )

    def _forget(self) -> None:
        with self._lock:
            self._turn, self._text, self._kept = None, "", ""

    def _try(self, keep: Callable[[], None]) -> None:
        try:
            keep()
        except MedloraError as error:
            self._on_trouble(error)
