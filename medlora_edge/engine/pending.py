"""A request under way, as the caller holds it."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue

from medlora_edge.engine.protocol import (
    Cause,
    Counted,
    Done,
    Event,
    Failed,
    Loaded,
    Opened,
    Prefilled,
    Reported,
    Request,
    Scored,
)
from medlora_edge.errors import (
    CorruptError,
    EngineError,
    MedloraError,
    PlatformError,
    ResourceError,
    StoppedError,
    UsageError,
)

Answer = Loaded | Opened | Done | Scored | Prefilled | Counted | Reported

ERRORS: dict[Cause, type[MedloraError]] = {
    Cause.REQUEST: UsageError,
    Cause.MODEL: CorruptError,
    Cause.MEMORY: ResourceError,
    Cause.CANCELLED: StoppedError,
    Cause.ENGINE: EngineError,
    Cause.PLATFORM: PlatformError,
}


class Pending:
    """Events of one request; they arrive whether or not anybody listens."""

    def __init__(self, request: Request, cancel: Callable[[int], None]) -> None:
        self.request = request
        self.id = request.id
        self.retried = False
        self.cancelled = False
        self._queue: SimpleQueue[Event] = SimpleQueue()
        self._cancel = cancel
        self._last: Answer | Failed | None = None

    def put(self, event: Event) -> None:
        """Called by the engine's reader thread."""
        self._queue.put(event)

    def events(self) -> Iterator[Event]:
        """Every event in order, up to and with the last one."""
        while self._last is None:
            event = self._queue.get()
            if isinstance(event, Answer | Failed):
                self._last = event
            yield event

    def answer(self) -> Answer:
        """Wait for the last event. Raises the MedloraError that fits a failure."""
        for _ in self.events():
            pass
        if isinstance(self._last, Failed):
            raise ERRORS[self._last.cause](self._last.what)
        assert self._last is not None  # noqa: S101 - events() ends only with it
        return self._last

    def result(self) -> Done | Scored:
        """Wait for the answer of `generate` or `score`. Raises the MedloraError that fits a failure."""
        answer = self.answer()
        if not isinstance(answer, Done | Scored):
            raise TypeError(f"{self.request.kind} answers {answer.event}")
        return answer

    def cancel(self) -> None:
        """Ask the engine to stop this request; its last event says how far it came."""
        self._cancel(self.id)
