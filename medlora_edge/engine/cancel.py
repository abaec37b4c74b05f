"""Cancelling from another thread: a running batch is aborted only when nobody else needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol


class Abortable(Protocol):
    """Something whose running computation ends soon after this is set."""

    abort_requested: bool


class Cancellations:
    """Which requests the user no longer wants, and which ones the running batch serves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted: set[int] = set()
        self._computing: frozenset[int] = frozenset()
        self._context: Abortable | None = None

    def request(self, target: int) -> None:
        """Called by the reader thread."""
        with self._lock:
            self._wanted.add(target)
            if self._context and self._computing and self._computing <= self._wanted:
                self._context.abort_requested = True

    def wanted(self, request: int) -> bool:
        """Whether `request` is to be cancelled."""
        return request in self._wanted

    def forget(self, request: int) -> None:
        """`request` has ended."""
        with self._lock:
            self._wanted.discard(request)

    @contextmanager
    def computing(self, context: Abortable, requests: frozenset[int]) -> Iterator[bool]:
        """A batch for `requests` runs inside; yields False when all of them are cancelled already."""
        with self._lock:
            self._computing, self._context = requests, context
            context.abort_requested = False
            go = not requests <= self._wanted
        try:
            yield go
        finally:
            with self._lock:
                self._computing, self._context = frozenset(), None
