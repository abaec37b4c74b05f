"""Type-ahead: what is typed is prefilled while the user is still at it, and never in the way of a question."""

from collections.abc import Callable, Sequence
from threading import Lock

from medlora_edge.engine.client import Engine
from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Failed, Message, Prefilled, Prefilling
from medlora_edge.errors import MedloraError
from medlora_edge.tui.session.conversation import goes_on_from

Chat = tuple[Message, ...]


class Ahead:
    """At most one prefill under way. `on_progress` is told done and total tokens, `on_done` the tokens
    computed, 0 where it was given up.
    """

    def __init__(
        self, engine: Engine, *, on_progress: Callable[[int, int], None], on_done: Callable[[int], None]
    ) -> None:
        self._engine = engine
        self._on_progress = on_progress
        self._on_done = on_done
        self._lock = Lock()
        self._chat: Chat | None = None  # what is being computed
        self._next: Chat | None = None
        self._pending: Pending | None = None
        self._held = False

    def read(self, chat: Chat) -> None:
        """Compute this prompt, and what is typed meanwhile; returns at once where another thread does so already.

        What is under way goes on when `chat` begins with it: else typing in bursts shorter than a prefill chunk
        would never get anywhere.
        """
        with self._lock:
            if self._held or chat == self._chat:
                return
            self._next = chat
            if self._chat is not None:
                self._drop_unless_part_of(chat)
                return
            pending = self._begin_next()
        while pending:
            self._follow(pending)
            with self._lock:
                pending = self._begin_next()

    def hold(self, chat: Sequence[Message] = ()) -> None:
        """Begin nothing more. What is under way goes on only when `chat` is about to need it."""
        with self._lock:
            self._held = True
            self._next = None
            self._drop_unless_part_of(chat)

    def release(self) -> None:
        """Go on as before `hold`."""
        with self._lock:
            self._held = False

    def cancel(self) -> None:
        """Give up what is under way."""
        with self._lock:
            self._next = None
            self._drop_unless_part_of(())

    def _drop_unless_part_of(self, chat: Sequence[Message]) -> None:
        if self._pending and self._chat and not goes_on_from(chat, self._chat):
            self._pending.cancel()

    def _begin_next(self) -> Pending | None:
        self._chat, self._next, self._pending = self._next, None, None
        if self._chat is not None:
            try:
                self._pending = self._engine.prefill(self._chat)
            except MedloraError:  # the question itself will say what is wrong
                self._chat = None
        return self._pending

    def _follow(self, pending: Pending) -> None:
        for event in pending.events():
            match event:
                case Prefilling():
                    self._on_progress(event.done, event.total)
                case Prefilled():
                    self._on_done(event.tokens)
                case Failed():
                    self._on_done(0)
