"""The app with a scripted session, and what tests do with it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from medlora_edge.errors import MedloraError
from medlora_edge.models import Model
from medlora_edge.models.manifest import Manifest, Source
from medlora_edge.tui.app import EdgeApp
from medlora_edge.tui.widgets.turn_view import TurnView
from tests.tui.fake_session import FakeSession
from tests.tui.turns import ASKED
from tests.tui.waiting import PATIENCE_SECONDS


class FakeApp(EdgeApp):
    """EdgeApp over a FakeSession, its clock standing still; `copied`: what went to the clipboard."""

    fake: FakeSession

    def __init__(self, *, model: Model | None = None, problem: MedloraError | None = None, **options: Any) -> None:
        def open_session(post: Callable[..., None]) -> FakeSession:
            self.fake = FakeSession(post)
            return self.fake

        def find_model() -> Model:
            if problem:
                raise problem
            return model or a_model()

        self.now = 100.0
        self.copied: list[str] = []
        super().__init__(open_session, find_model=find_model, clock=lambda: self.now, **options)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


def a_model(name: str = "starter") -> Model:
    manifest = Manifest(
        name="starter",
        file="model.gguf",
        size_bytes=1,
        sha256="ab" * 32,
        architecture="llama",
        parameters=1,
        quantisation="Q3_K_L",
        tensor_types={},
        context_length=4096,
        source=Source(file="model.gguf"),
        added=ASKED,
    )
    return Model(name, Path("/absent/model.gguf"), manifest)


async def until(pilot: Pilot[None], holds: Callable[[], object], what: str = "") -> None:
    """Let the app work until `holds()` is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what or holds}\n{screen_text(pilot.app)}")
        await asyncio.sleep(0.005)
        await pilot.pause()


async def ready(pilot: Pilot[None], app: EdgeApp) -> None:
    await until(pilot, lambda: app.chat.is_mounted and app.chat.standing.ready, "the model is ready")


async def ask(pilot: Pilot[None], app: EdgeApp, text: str = "What is sepsis?") -> None:
    """Type and send."""
    app.chat.prompt.fill(text)
    await pilot.press("enter")


async def ended(pilot: Pilot[None], app: EdgeApp, turns: int = 1) -> TurnView:
    """Wait for the last of so many turns to end."""
    await until(pilot, lambda: len(app.chat.transcript.turns()) == turns and not app.chat.busy, f"turn {turns} ended")
    await pilot.pause()
    return app.chat.transcript.turns()[-1]


def screen_text(app: object) -> str:
    """What stands on the screen, a line each."""
    assert isinstance(app, App)
    width = app.size.width
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width].rstrip() for strip in strips)
