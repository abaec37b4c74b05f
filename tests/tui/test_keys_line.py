"""The bottom line at 80 columns: whatever the app is at, no key is cut and the palette is there."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from medlora_edge.tui.widgets.keys import Keys
from tests.tui.apps import FakeApp, ask, ended, ready, until
from tests.tui.fake_session import Hang, Say
from tests.tui.kept import kept, unlock

pytestmark = pytest.mark.asyncio
Reach = Callable[[Pilot[None], FakeApp], Awaitable[None]]


async def idle(pilot: Pilot[None], app: FakeApp) -> None:
    await ready(pilot, app)


async def answering(pilot: Pilot[None], app: FakeApp) -> None:
    app.fake.script(Say("Half"), Hang())
    await ready(pilot, app)
    await ask(pilot, app)
    await until(pilot, lambda: "Stop" in offered(app))


async def on_a_turn(pilot: Pilot[None], app: FakeApp) -> None:
    await ready(pilot, app)
    await ask(pilot, app)
    await ended(pilot, app)
    await pilot.press("alt+up")
    await until(pilot, lambda: "Copy" in offered(app))


async def in_the_bench(pilot: Pilot[None], app: FakeApp) -> None:
    await ready(pilot, app)
    await pilot.press("f5")
    await until(pilot, lambda: "Chat" in offered(app))


async def in_the_models(pilot: Pilot[None], app: FakeApp) -> None:
    await ready(pilot, app)
    await pilot.press("f4")
    await until(pilot, lambda: "Look again" in offered(app))


async def in_the_list_of_chats(pilot: Pilot[None], app: FakeApp) -> None:
    await on_a_turn(pilot, app)
    await pilot.press("ctrl+r", "down")
    await until(pilot, lambda: "Erase" in offered(app))


def offered(app: FakeApp) -> dict[str, int]:
    """What the keys of the bottom line do, and the column where each ends."""
    return {key.description: key.region.right for key in app.screen.query(Keys).first().query(FooterKey)}


@pytest.mark.parametrize("reach", [idle, answering, on_a_turn, in_the_bench, in_the_models, in_the_list_of_chats])
@pytest.mark.parametrize("columns", [60, 80])
async def test_no_key_is_cut(reach: Reach, columns: int) -> None:
    app = FakeApp()
    async with app.run_test(size=(columns, 24)) as pilot:
        await reach(pilot, app)
        await pilot.pause()
        assert max(offered(app).values()) <= columns


@pytest.mark.parametrize("reach", [idle, answering, on_a_turn])
async def test_help_and_palette_are_offered_at_80_columns(reach: Reach) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await reach(pilot, app)
        assert {"Help", "Palette", "Mode"} <= offered(app).keys()


async def test_keys_of_a_kept_chat_fit_too() -> None:
    kept()[0].close()
    app = FakeApp()
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await until(pilot, lambda: "Lock" in offered(app))
        assert {"Help", "Palette", "Models", "Bench"} <= offered(app).keys()
        assert max(offered(app).values()) <= 80


async def test_more_room_shows_more() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert "Quit" not in offered(app)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "Quit" in offered(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Quit" not in offered(app))
