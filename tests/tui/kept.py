"""Kept chats for the tests of the app: made cheaply, opened from outside, their screens found and filled."""

from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from medlora_edge import history, paths
from medlora_edge.history import Store
from medlora_edge.tui.screens.unlock import Unlock
from tests.history.support import CHEAP, PASSPHRASE
from tests.tui.apps import FakeApp, ready, screen_text, until

WRONG = "wrong horse battery"


def folder() -> Path:
    """Where the app keeps chats."""
    return paths.data_dir() / "history"


def kept() -> tuple[Store, str]:
    """A new folder of kept chats, open."""
    return history.create(folder(), PASSPHRASE, cost=CHEAP)


def cheaply(patch: pytest.MonkeyPatch) -> None:
    """Let the app take a cheap Argon2id."""
    patch.setattr(history, "create", partial(history.create, cost=CHEAP))
    patch.setattr(history, "recover", partial(history.recover, cost=CHEAP))


async def type_in(pilot: Pilot[None], *values: str) -> None:
    """Fill the fields that are shown, Enter after each."""
    app = pilot.app
    for value in values:
        await until(pilot, lambda: isinstance(app.focused, Input) and not app.focused.disabled, "a field")
        assert isinstance(app.focused, Input)
        app.focused.value = value
        await pilot.press("enter")


async def locked(pilot: Pilot[None], app: FakeApp) -> None:
    """Wait for the app to ask for the passphrase."""
    await until(pilot, lambda: isinstance(app.screen, Unlock) and isinstance(app.focused, Input), "it is locked")


async def unlock(pilot: Pilot[None], app: FakeApp, passphrase: str = PASSPHRASE) -> None:
    """Type the passphrase and wait for the chat."""
    await locked(pilot, app)
    await type_in(pilot, passphrase)
    await until(pilot, lambda: not app.locked, "it is unlocked")
    await ready(pilot, app)
    await until(pilot, lambda: "saved, encrypted" in screen_text(app) or "read only" in screen_text(app))
