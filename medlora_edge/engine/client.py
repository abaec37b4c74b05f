"""The app's side of the engine: sends requests, hands out events, and starts the process again when it dies."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Literal, Self, TypeVar

from medlora_edge import paths
from medlora_edge.engine.child import Child, Patience
from medlora_edge.engine.pending import Answer, Pending
from medlora_edge.engine.protocol import (
    MAX_LINE,
    Cancel,
    Cause,
    ContextOptions,
    Count,
    Counted,
    Event,
    Failed,
    Generate,
    Load,
    Loaded,
    Loading,
    Message,
    Open,
    Opened,
    Prefill,
    Ready,
    Reported,
    Request,
    Restarted,
    Reuse,
    Sampling,
    Score,
    Stats,
    to_line,
)
from medlora_edge.errors import EngineError, MedloraError, PlatformError, UsageError

BACK_OFF = (0.0, 1.0, 5.0)  # seconds before the first, second, ... start after a death
GIVE_UP = len(BACK_OFF) + 1  # deaths in a row, no request answered between them
START_SECONDS = 60.0
COUNT_BYTES = MAX_LINE // 2

A = TypeVar("A", bound=Answer)


class Engine:
    """One engine process and the requests under way in it. Thread-safe; use it as a context manager.

    A request in flight when the process dies is sent once more, alone, so that only the one that kills the engine
    twice fails.
    """

    def __init__(
        self, *, log: Path | None = None, patience: Patience | None = None, variant: str | None = None
    ) -> None:
        """`variant`: the one CPU variant to compute with; otherwise the best for this processor."""
        self._log = log or paths.engine_log()
        self._variant = variant
        self._unsupported: str | None = None
        self._patience = patience or Patience()
        self._lock = threading.RLock()
        self._ids = count(1)
        self._child: Child | None = None
        self._ready: Ready | None = None
        self._is_ready = threading.Event()
        self._last_cause = "it said nothing"
        self._load: Load | None = None
        self._open: Open | None = None
        self._pending: dict[int, Pending] = {}
        self._suspects: deque[Pending] = deque()  # were in flight at a death: sent again one by one
        self._alone: Pending | None = None  # the suspect that is being tried
        self._held: deque[Pending] = deque()  # came while suspects were being sorted out
        self._reloading: set[int] = set()
        self._lost: str | None = None  # why a new process could not load or open again what the dead one had
        self._deaths = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ready(self) -> Ready:
        """Versions and backends of the engine process.

        Raises EngineError when it does not start, PlatformError when this processor cannot run it.
        """
        with self._lock:
            self._check_supported()
            self._running()
        ready = self._is_ready.wait(START_SECONDS)
        self._check_supported()
        if not ready or self._ready is None:
            raise EngineError(f"the engine did not start: {self._last_cause}", where=str(self._log))
        return self._ready

    @property
    def pid(self) -> int | None:
        """Process id of the engine, None while it does not run."""
        return self._child.pid if self._child else None

    def load(
        self,
        path: Path,
        *,
        adapter: Path | None = None,
        gpu_layers: int | Literal["auto"] = "auto",
        on_progress: Callable[[float], None] | None = None,
    ) -> Loaded:
        """Load the weights of a GGUF and the LoRA adapter given, replacing those before. Raises MedloraError."""
        self._load = self._open = self._lost = None
        self._deaths = 0
        request = Load(
            id=next(self._ids),
            path=str(path.resolve()),
            adapter=str(adapter.resolve()) if adapter else None,
            gpu_layers=gpu_layers,
        )
        pending = self._submit(request)
        try:
            for event in pending.events():
                if isinstance(event, Loading) and on_progress:
                    on_progress(event.fraction)
        except KeyboardInterrupt:
            pending.cancel()
            raise
        loaded = _expect(pending, Loaded)
        self._load = request
        return loaded

    def cancel_load(self) -> None:
        """Give up a load that another thread waits for; it raises StoppedError there."""
        with self._lock:
            loads = [pending for pending in self._pending.values() if isinstance(pending.request, Load)]
        for pending in loads:
            pending.cancel()

    def open(self, options: ContextOptions) -> Opened:
        """Make a context over the loaded weights, replacing the one before. Raises MedloraError."""
        request = Open(id=next(self._ids), options=options)
        opened = _expect(self._submit(request), Opened)
        self._open = request
        return opened

    def generate(
        self,
        messages: Iterable[Message],
        *,
        begun: str = "",
        sampling: Sampling | None = None,
        max_tokens: int = 256,
        grammar: str | None = None,
        stop_when: str | None = None,
        stop_early: bool = True,
        stream: bool = True,
        reuse: Reuse = Reuse.LONGEST,
    ) -> Pending:
        """Begin an answer, or go on with one that is `begun`."""
        return self._submit(
            Generate(
                id=next(self._ids),
                messages=tuple(messages),
                begun=begun,
                sampling=sampling or Sampling(),
                max_tokens=max_tokens,
                grammar=grammar,
                stop_when=stop_when,
                stop_early=stop_early,
                stream=stream,
                reuse=reuse,
            )
        )

    def score(
        self, messages: Iterable[Message], candidates: Mapping[str, str], *, reuse: Reuse = Reuse.FIXED
    ) -> Pending:
        """Begin scoring candidates (label -> text) as beginnings of the answer."""
        return self._submit(
            Score(id=next(self._ids), messages=tuple(messages), candidates=dict(candidates), reuse=reuse)
        )

    def prefill(self, messages: Iterable[Message]) -> Pending:
        """Begin to compute what later words at the end of the last turn cannot change."""
        return self._submit(Prefill(id=next(self._ids), messages=tuple(messages)))

    def count(self, chats: Sequence[Sequence[Message]]) -> Counted:
        """Tokens and prompt hash of each chat. Raises MedloraError."""
        pieces = [_expect(self._submit(Count(id=next(self._ids), chats=piece)), Counted) for piece in _pieces(chats)]
        return Counted(
            id=pieces[-1].id if pieces else 0,
            tokens=tuple(n for piece in pieces for n in piece.tokens),
            prompt_sha256=tuple(h for piece in pieces for h in piece.prompt_sha256),
        )

    def stats(self) -> Reported:
        """Memory and counters of the engine process. Raises MedloraError."""
        return _expect(self._submit(Stats(id=next(self._ids))), Reported)

    def drop(self) -> None:
        """End the process and forget its model; what is under way fails, the next request starts a process anew."""
        with self._lock:
            child, self._child = self._child, None
            self._load = self._open = self._lost = None
            self._fail_all("the engine was closed")
        if child:
            child.kill()

    def close(self) -> None:
        """End the process for good; what is under way fails."""
        with self._lock:
            self._closed = True
        self.drop()

    def _submit(self, request: Request) -> Pending:
        pending = Pending(request, self._cancel)
        _check_line(request)
        with self._lock:
            self._check_supported()
            if self._closed:
                raise EngineError("the engine is closed")
            if self._deaths >= GIVE_UP and not isinstance(request, Load):
                raise EngineError(f"the engine died {GIVE_UP} times in a row", where=str(self._log))
            if self._lost and not isinstance(request, Load):
                raise EngineError(f"the engine died and could not go on: {self._lost}", where=str(self._log))
            if self._suspects or self._alone:
                self._held.append(pending)
            else:
                self._deliver(pending)
        return pending

    def _check_supported(self) -> None:
        if self._unsupported:
            raise PlatformError(self._unsupported, where=str(self._log))

    def _deliver(self, pending: Pending) -> None:
        self._pending[pending.id] = pending
        self._running().send(pending.request)

    def _running(self) -> Child:
        """The process, started when there is none; what was loaded and open before is so again."""
        if self._child is None:
            self._is_ready.clear()
            child = Child(
                self._log,
                variant=self._variant,
                on_event=self._take,
                on_death=self._died,
                patience=self._patience,
            )
            self._child = child
            for request in (self._load, self._open):
                if request:
                    again = request.model_copy(update={"id": next(self._ids)})
                    self._reloading.add(again.id)
                    child.send(again)
        return self._child

    def _take(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._ready = event
            self._is_ready.set()
            return
        with self._lock:
            if event.id in self._reloading and isinstance(event, Answer | Failed):
                self._reloading.discard(event.id)
                if isinstance(event, Failed):
                    self._reloading.clear()  # without weights `open` fails too: not the fault of what comes next
                    self._lost = event.what
                    self._fail_all(event.what)
            pending = self._pending.get(event.id)
            if pending is None:
                return
            pending.put(event)
            if isinstance(event, Answer | Failed):
                self._finished(pending)

    def _finished(self, pending: Pending) -> None:
        del self._pending[pending.id]
        self._deaths = 0
        if pending is self._alone:
            self._alone = None
            self._send_next()

    def _died(self, child: Child, cause: str) -> None:
        with self._lock:
            if child is not self._child:
                return
            self._child = self._alone = None
            self._last_cause = cause
            if child.unsupported:
                self._unsupported = cause
                self._fail_all(cause, Cause.PLATFORM)
            self._is_ready.set()
            self._deaths += 1
            victims = list(self._pending.values())
            self._pending.clear()
            for victim in victims:
                self._judge(victim, cause)
            if self._deaths >= GIVE_UP:
                self._fail_all(cause)
                return
            pause = BACK_OFF[self._deaths - 1]
        time.sleep(pause)
        with self._lock:
            try:
                self._send_next()
            except (OSError, MedloraError) as error:
                self._fail_all(f"the engine cannot be started again: {error}")

    def _judge(self, victim: Pending, cause: str) -> None:
        if victim.cancelled:
            victim.put(Failed(id=victim.id, cause=Cause.CANCELLED, what="stopped"))
            return
        if victim.retried:
            victim.put(Failed(id=victim.id, cause=Cause.ENGINE, what=cause))
            return
        victim.retried = True
        victim.put(Restarted(id=victim.id, what=cause))
        self._suspects.append(victim)

    def _send_next(self) -> None:
        if self._alone:
            return
        if self._suspects:
            self._alone = self._suspects.popleft()
            self._deliver(self._alone)
            return
        while self._held:
            self._deliver(self._held.popleft())

    def _cancel(self, request: int) -> None:
        with self._lock:
            for queue in (self._suspects, self._held):
                waiting = next((pending for pending in queue if pending.id == request), None)
                if waiting:
                    queue.remove(waiting)
                    waiting.put(Failed(id=request, cause=Cause.CANCELLED, what="stopped"))
            running = self._pending.get(request)
            if running is None or self._child is None:
                return
            running.cancelled = True
            if isinstance(running.request, Load):
                self._child.kill()  # llama.cpp does not listen while it loads
            else:
                self._child.send(Cancel(target=request))

    def _fail_all(self, what: str, cause: Cause = Cause.ENGINE) -> None:
        for pending in (*self._pending.values(), *self._suspects, *self._held):
            pending.put(Failed(id=pending.id, cause=cause, what=what))
        self._pending.clear()
        self._suspects.clear()
        self._held.clear()
        self._alone = None


def _check_line(request: Request) -> None:
    """Raise UsageError for what the protocol cannot carry."""
    try:
        size = len(to_line(request))
    except ValueError as error:
        raise UsageError("the text is not valid Unicode", fix="remove what is no text") from error
    if size > MAX_LINE:
        raise UsageError("the text is too long: more than 1 MiB", fix="shorten it")


def _expect(pending: Pending, kind: type[A]) -> A:
    answer = pending.answer()
    if not isinstance(answer, kind):
        raise TypeError(f"{pending.request.kind} answers {answer.event}")
    return answer


def _pieces(chats: Sequence[Sequence[Message]]) -> Iterator[tuple[tuple[Message, ...], ...]]:
    """Chats in order, in pieces that fit into one line of the protocol."""
    piece: list[tuple[Message, ...]] = []
    size = 0
    for chat in chats:
        room = sum(len(message.model_dump_json().encode()) for message in chat) + 64
        if piece and size + room > COUNT_BYTES:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(tuple(chat))
        size += room
    if piece:
        yield tuple(piece)
