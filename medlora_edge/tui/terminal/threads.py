"""From a worker thread to the screen."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, ParamSpec

from textual.app import App
from textual.screen import Screen

P = ParamSpec("P")


def tell_screen(screen: Screen[Any], do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """The same for a screen, unless it is gone or going: one that was left loses its widgets before itself."""

    def if_there() -> object:
        there = screen.is_mounted and screen in screen.app.screen_stack
        return do(*args, **kwargs) if there else None

    tell(screen.app, if_there)


def tell(app: App[Any], do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Do it on the screen's thread and wait for it; nothing happens once the app is going away."""
    with suppress(CancelledError, RuntimeError):
        if app.is_running:
            app.call_from_thread(do, *args, **kwargs)
