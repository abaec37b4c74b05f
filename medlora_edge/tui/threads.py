"""From a worker thread to the screen."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, ParamSpec

from textual.app import App

P = ParamSpec("P")


def tell(app: App[Any], do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Do it on the screen's thread and wait for it; nothing happens once the app is going away."""
    with suppress(CancelledError, RuntimeError):
        if app.is_running:
            app.call_from_thread(do, *args, **kwargs)
