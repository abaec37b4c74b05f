"""Pictures of keeping, locking and unlocking: both sizes, in colours and without."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from medlora_edge.history import attempts, keys
from tests.history.support import PASSPHRASE, asked
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.kept import WRONG, cheaply, kept, locked, type_in, unlock
from tests.tui.test_snapshots import LOOKS, SIZES, Compare, settle
from tests.tui.test_unlock import Clock

CODE = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ"


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=LOOKS)
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], FakeApp]:
    """Makes the app, once the chats are there or not; the pause behind a wrong passphrase does not end."""
    cheaply(monkeypatch)
    monkeypatch.setattr(attempts, "time", Clock())
    monkeypatch.setattr(keys, "new_recovery_code", lambda: CODE)
    monkeypatch.setattr("medlora_edge.tui.keeping.passphrase.any_group", lambda code: 5)
    if request.param == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")

    def make() -> FakeApp:
        app = FakeApp()
        if request.param != "no-color":
            app.theme = request.param
        return app

    return make


def test_not_saved(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_passphrase(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await pilot.press("f3")
        await type_in(pilot, "short", "short")
        await until(pilot, lambda: "too short" in screen_text(app))
        await pilot.press(*PASSPHRASE)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_recovery_code(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await pilot.press("f3")
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        await until(pilot, lambda: "Type group 5" in screen_text(app))
        await pilot.press("escape")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_locked(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    kept()[0].close()
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await locked(pilot, app)
        await type_in(pilot, WRONG)
        await until(pilot, lambda: "Try again" in screen_text(app))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_recovery(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    kept()[0].close()
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await locked(pilot, app)
        await pilot.press("f3", *CODE[:9])
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_saved(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    kept()[0].close()
    app = made()

    async def reach(pilot: Pilot[None]) -> None:
        await unlock(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_interrupted(made: Callable[[], FakeApp], size: tuple[int, int], snap_compare: Compare) -> None:
    store, _ = kept()
    app = made()
    sha256 = "ab" * 32
    with store:
        chat = store.new_chat("starter", sha256)
        turn = store.begin(chat.id, "ask", asked("What is sepsis?"), model_sha256=sha256, prompts_sha256=sha256)
        store.save_answer(turn.id, "Sepsis is life-threatening organ")

    async def reach(pilot: Pilot[None]) -> None:
        await locked(pilot, app)
        await type_in(pilot, PASSPHRASE)
        await until(pilot, lambda: "Go on?" in screen_text(app))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)
