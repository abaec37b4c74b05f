"""Pictures of the chat's main states, to be looked at when they change: both sizes, in colours and without."""

import asyncio
import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from medlora_edge.notice import UNTRAINED
from medlora_edge.tui.safe_app import SafeApp
from tests.tui.apps import FakeApp, ask, ended, ready, until
from tests.tui.fake_session import Fail, Gate, Hang, Label, Read, Say
from tests.tui.turns import ABSTRACT

ANSWER = "Sepsis is life-threatening organ dysfunction caused by a dysregulated host response to infection.\n\n" * 3
SIZES = [(80, 24), (120, 40)]
EQUAL_LOOKS = 20  # on a busy machine time passes in which the app did nothing
LOOKS = ["dark", "light", "high-contrast", "no-color"]
Compare = Callable[..., bool]


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=LOOKS)
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    if request.param == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    made = FakeApp()
    if request.param != "no-color":
        made.theme = request.param
    return made


def test_loading(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    app.fake.load_steps = (0.4, Gate("never"))

    async def reach(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.chat.standing.doing == "loading 40%")

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_reading_the_prompt(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    app.fake.warning = UNTRAINED
    app.fake.script(Read(1200, 2400), Hang())

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing.startswith("reading prompt 1,200"))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_answering(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    app.fake.script(Say(ANSWER * 4), Hang())

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing == "answering 1")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_stopped_and_failed(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    app.fake.script(Say("Sepsis is"), Hang())
    app.fake.script(Say("Part"), Fail())

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing == "answering 1")
        await pilot.press("escape")
        await ended(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app, 2)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


@pytest.mark.parametrize(
    "answer",
    ["yes. Mortality was lower.", "yes. Mortality was higher. The answer is no."],
    ids=["agrees", "contradicts"],
)
def test_verdict(app: FakeApp, size: tuple[int, int], answer: str, snap_compare: Compare) -> None:
    app.fake.script(Label("yes", {"yes": 0.8, "no": 0.15, "maybe": 0.05}), Say(answer))

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await pilot.press("shift+tab")
        app.chat.query_one("#abstract").fill(ABSTRACT)  # type: ignore[attr-defined]
        await pilot.press("tab")
        await ask(pilot, app, "Does the drug lower mortality?")
        await ended(pilot, app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


@pytest.mark.parametrize("key", ["f1", "ctrl+q"])
def test_overlays(app: FakeApp, size: tuple[int, int], key: str, snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await settle(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not app.chat)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


async def settle(pilot: Pilot[None], app: SafeApp) -> None:
    """Until nothing changes any more: what is typed was counted and read ahead, the screen was drawn."""
    app.screen.refresh()  # Textual now and then draws a dialog without what lies beneath it, and keeps that
    before, since, equal = "", time.monotonic(), 0
    while time.monotonic() - since < 0.7 or equal < EQUAL_LOOKS:
        await asyncio.sleep(0.02)
        await pilot.pause()
        now = app.export_screenshot()
        equal += 1
        if now != before:
            before, since, equal = now, time.monotonic(), 0
