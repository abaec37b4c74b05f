"""Pictures of the list of chats: all of them, a search, a rename, the question before one is erased."""

import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from medlora_edge import history
from medlora_edge.history import Store, rows
from medlora_edge.tui.screens.choice import Choice
from tests.tui.apps import until
from tests.tui.shelves import ShelfApp, keep_chat, opened, shows
from tests.tui.test_snapshots import LOOKS, SIZES, Compare, settle

CHATS = (
    ("Dose of amoxicillin in otitis media", "80 to 90 mg/kg a day in two doses.", "ask"),
    ("Does metformin lower mortality after myocardial infarction in patients without diabetes?", "Not shown.", "ask"),
    ("Which drug first in sepsis?", "(A) Fluids come first, then a vasopressor.", "multiple_choice"),
    ("Do statins lower mortality in primary prevention?", "yes. Mortality was lower with statins.", "pubmedqa"),
)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Chats of fixed days, the clock in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with history.private() as opened:
        for day, (title, answer, task) in enumerate(CHATS, 1):
            monkeypatch.setattr(rows, "now", lambda day=day: f"2026-03-{day:02}T09:30:00+00:00")
            keep_chat(opened, title, answer, asked=title, task=task)  # type: ignore[arg-type]
        yield opened
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(params=LOOKS)
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, store: Store) -> ShelfApp:
    if request.param == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    made = ShelfApp(store)
    if request.param != "no-color":
        made.theme = request.param
    return made


def test_chats(app: ShelfApp, size: tuple[int, int], snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await pilot.press("down")
        await shows(pilot, "Fluids come first")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_search(app: ShelfApp, size: tuple[int, int], snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await pilot.press(*"mortal")
        await shows(pilot, "2 places")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_rename(app: ShelfApp, size: tuple[int, int], snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await pilot.press("down", "e")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_erase(app: ShelfApp, size: tuple[int, int], snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await pilot.press("tab", "delete")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)
