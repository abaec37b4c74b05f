"""Keeps the engine busy: a window of requests under way, answers handed on in the order they are ready."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Done, Scored
from medlora_edge.errors import EngineError

QUEUED = 4  # requests waiting inside the engine, so that a free sequence never idles

Outcome = Done | Scored | EngineError

T = TypeVar("T")


def drive(items: Sequence[T], width: int, ask: Callable[[T], Pending]) -> Generator[tuple[T, Outcome], None, None]:
    """Ask every item; yield its answer, or the EngineError of one on which the engine failed twice.

    Close the generator to cancel what is under way. Raises EngineError when the engine is gone for good,
    and what else a request may raise.
    """
    waiting = deque(items)
    under_way: dict[Future[Done | Scored], tuple[T, Pending]] = {}
    with ThreadPoolExecutor(width + QUEUED) as listeners:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < width + QUEUED:
                    item = waiting.popleft()
                    pending = ask(item)
                    under_way[listeners.submit(pending.result)] = (item, pending)
                finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in finished:
                    item, _ = under_way.pop(future)
                    yield item, _outcome(future)
        finally:
            for _, pending in under_way.values():
                pending.cancel()


def _outcome(future: Future[Done | Scored]) -> Outcome:
    try:
        return future.result()
    except EngineError as error:
        return error
