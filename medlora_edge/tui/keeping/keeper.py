"""Keeps what is said: the question before anything is computed, the answer at least every second, its end at once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from threading import Lock, RLock

from medlora_edge.errors import MedloraError
from medlora_edge.history import Chat, Setting, Store, TaskName, Turn
from medlora_edge.tasks import Question, prompts_sha256
from medlora_edge.tui.keeping.draft import Draft, stored
from medlora_edge.tui.session.conversation import title
from medlora_edge.tui.session.events import Ended, EngineRestarted, Said, SessionEvent, Verdict


class Keeper:
    """One chat in a store. All methods wait for the disk (`hear` where something ends): call them from threads.

    `draft` is what is typed now, set by the screen. `on_trouble` is told once what could not be kept; the answer goes
    on being shown, and keeping it is tried again with every `flush`.
    """

    def __init__(self, store: Store, on_trouble: Callable[[MedloraError], None]) -> None:
        self.store = store
        self.chat: Chat | None = None
        self.draft = Draft()
        self._on_trouble = on_trouble
        self._one = RLock()  # one at a time in the store, and none while another store takes its place
        self._words = Lock()
        self._turn: int | None = None
        self._text = ""
        self._kept = ""
        self._kept_draft = Draft()
        self._ends: dict[int, Ended] = {}  # not kept yet
        self._troubled = False
        self._closed = False

    @property
    def behind(self) -> bool:
        """Whether something was said or typed that is not kept yet."""
        return self._text != self._kept or self.draft != self._kept_draft or bool(self._ends)

    def begin(
        self,
        name: TaskName,
        question: Question,
        *,
        model: str,
        sha256: str,
        settings: Mapping[str, Setting] | None = None,
        retry_of: int | None = None,
        typed: str = "",
    ) -> Turn:
        """Keep a question; the chat begins with its first one. What was `typed` for it is the draft no longer.

        Raises MedloraError.
        """
        with self._one:
            if self.chat is None:
                chat = self.store.new_chat(model, sha256)
                self.store.rename(chat.id, title(question))
                self.chat = chat
            left = replace(self.draft.without(typed), chat=self.chat.id)
            turn = self.store.begin(
                self.chat.id,
                name,
                question,
                model_sha256=sha256,
                prompts_sha256=prompts_sha256(name),
                model=model,
                settings=settings,
                retry_of=retry_of,
                draft=stored(left),
            )
            self.draft = self._kept_draft = left
            return turn

    def turns(self) -> tuple[Turn, ...]:
        """Turns of the chat so far. Raises MedloraError."""
        with self._one:
            return self.store.turns(self.chat.id) if self.chat else ()

    def hear(self, event: SessionEvent) -> None:
        """Note what was said, keep what has ended; called from the session's thread."""
        match event:
            case Said():
                with self._words:
                    self._text = (self._text if self._turn == event.turn else "") + event.text
                    self._turn = event.turn
            case EngineRestarted():
                self._forget()
            case Verdict():
                self._keep_verdict(event)
            case Ended():
                self._ends[event.turn] = event
                self._forget()
                self.flush()

    def flush(self) -> None:
        """Keep what was said and typed so far."""
        with self._one:
            if self._closed:
                return
            for end in tuple(self._ends.values()):
                if self._try(partial(self._end, end)):
                    del self._ends[end.turn]
            self._flush_words()
            self._flush_draft()

    def move(self, fill: Callable[[Store], Store]) -> None:
        """Go on in the store that `fill` makes of this one. Raises what it raises; nothing has changed then."""
        with self._one:
            self.flush()
            left, self.store = self.store, fill(self.store)
            left.close()

    def close(self) -> None:
        """Keep what there is and let go of the store: whatever is said from now on is not heard."""
        with self._one:
            self.flush()
            self._closed = True
            self.store.close()

    def _flush_words(self) -> None:
        with self._words:
            turn, text = self._turn, self._text
        if turn is None or text == self._kept:
            return
        if self._try(lambda: self.store.save_answer(turn, text)):
            with self._words:
                if self._turn == turn:
                    self._kept = text

    def _flush_draft(self) -> None:
        draft = self.draft
        if draft == self._kept_draft:
            return
        read_only = self.store.damage is not None
        if read_only or self._try(lambda: self.store.save_draft(stored(draft))):
            self._kept_draft = draft

    def _end(self, event: Ended) -> None:
        self.store.end(
            event.turn,
            event.state,
            event.answer,
            label=event.label,
            label_probs=event.label_probs,
            timings=event.timings,
        )

    def _keep_verdict(self, event: Verdict) -> None:
        with self._one:
            if not self._closed:  # what fails here is kept with the turn's end
                self._try(lambda: self.store.save_verdict(event.turn, event.label, event.probs))

    def _forget(self) -> None:
        with self._words:
            self._turn, self._text, self._kept = None, "", ""

    def _try(self, keep: Callable[[], None]) -> bool:
        try:
            keep()
        except MedloraError as error:
            if not self._troubled:
                self._troubled = True
                self._on_trouble(error)
            return False
        self._troubled = False
        return True
