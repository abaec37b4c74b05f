"""The lock: after five minutes without a key, or by key: screen, keys and engine go, and all of it comes back."""

import time
from threading import Event

import pytest
from textual import events
from textual.pilot import Pilot

from medlora_edge import history
from medlora_edge.history import TurnState
from medlora_edge.settings import AppSettings, Settings
from medlora_edge.tui.keeping.lock import Idle, since_boot
from medlora_edge.tui.screens.choice import Choice
from tests.history.support import PASSPHRASE
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Hang, Say
from tests.tui.kept import folder, kept, locked, unlock
from tests.tui.waiting import PATIENCE_SECONDS

DRAFT = "half a question"
ANSWER = "Dysregulated."


def app_that_idles(minutes: int = 5) -> FakeApp:
    """Its idle clock is the app's own, which stands still."""
    kept()[0].close()
    app = FakeApp(settings=Settings(app=AppSettings(idle_minutes=minutes)))
    app.idle = Idle(minutes * 60, lambda: app.now)
    return app


async def chatting(pilot: Pilot[None], app: FakeApp) -> None:
    """An answer above, a draft below."""
    await unlock(pilot, app)
    await ask(pilot, app)
    await ended(pilot, app)
    await pilot.press(*DRAFT)


def test_idle_time_is_counted_from_the_last_key_on_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    idle = Idle(300, lambda: now)
    now = 299.0
    assert not idle.over
    idle.touch()
    now = 598.0
    assert not idle.over
    now = 599.0
    assert idle.over
    before = since_boot()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert since_boot() >= before


@pytest.mark.asyncio
async def test_five_minutes_without_a_key_lock_and_the_passphrase_brings_all_of_it_back() -> None:
    app = app_that_idles()
    app.fake.script(Say(ANSWER))
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        assert ANSWER in screen_text(app)
        app.now += 299
        await pilot.press("x", "backspace")
        app.now += 299
        app._tick()
        await pilot.pause()
        assert not app.locked
        app.now += 1
        before = app.chat
        await locked(pilot, app)
        assert not before.is_attached
        shown = screen_text(app)
        for words in ("sepsis", ANSWER, DRAFT):
            assert words not in shown
        assert len(app.screen_stack) == 3
        assert app.chat.prompt.text == ""
        await until(pilot, lambda: app.fake.model is None, "the engine let go of the model")
        await unlock(pilot, app)
        await until(pilot, lambda: ANSWER in screen_text(app))
        assert app.chat.prompt.text == DRAFT
        await pilot.press("enter")
        await until(pilot, lambda: len(app.fake.asked) == 2)
        assert [turn.answer for turn in app.fake.asked[1][1]] == [ANSWER]


@pytest.mark.asyncio
async def test_lock_lets_go_of_the_file_and_its_key() -> None:
    app = app_that_idles()
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        store = app.keeper.store
        await pilot.press("ctrl+l")
        await locked(pilot, app)
        await until(pilot, lambda: store._db is None, "the store is closed")
        await until(pilot, lambda: app.fake.model is None)
        with history.unlock(folder(), PASSPHRASE) as other:
            assert DRAFT in other.draft()
        await unlock(pilot, app)


@pytest.mark.asyncio
async def test_answer_under_way_is_kept_as_far_as_it_was_said_and_offered_again() -> None:
    app = app_that_idles()
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "Half an ans" in screen_text(app))
        await pilot.press("ctrl+l")
        await locked(pilot, app)
        assert "Half" not in screen_text(app)
        await until(pilot, lambda: not app.fake.busy)
        await pilot.press(*PASSPHRASE, "enter")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("escape")
        await until(pilot, lambda: "Half an ans" in screen_text(app))
        (turn,) = app.keeper.turns()
        assert (turn.answer, turn.state) == ("Half an ans", TurnState.INTERRUPTED)
        assert not app.chat.busy


@pytest.mark.asyncio
@pytest.mark.parametrize("key", ["f1", "ctrl+p", "ctrl+r"])
async def test_lock_takes_everything_off_the_screen(key: str) -> None:
    app = app_that_idles()
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not app.chat)
        app.now += 301
        await locked(pilot, app)
        assert len(app.screen_stack) == 3
        await unlock(pilot, app)


@pytest.mark.asyncio
async def test_lock_key_works_in_front_of_the_chat_too() -> None:
    app = app_that_idles()
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        await pilot.press("f1")
        await until(pilot, lambda: app.screen is not app.chat)
        await pilot.press("ctrl+l")
        await locked(pilot, app)


@pytest.mark.asyncio
async def test_chat_that_is_not_saved_has_no_passphrase_and_is_not_locked() -> None:
    app = FakeApp()
    app.idle = Idle(300, lambda: app.now)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.now += 10_000
        await pilot.press("ctrl+l", "a")
        await until(pilot, lambda: app.chat.prompt.text == "a")
        assert not app.locked


@pytest.mark.asyncio
async def test_lock_in_the_middle_of_a_torrent_of_words() -> None:
    app = app_that_idles()
    app.fake.script(*[Say(f"word {number} ") for number in range(5000)], Hang())
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing.startswith("answering"))
        await pilot.press("ctrl+l")
        await locked(pilot, app)
        await until(pilot, lambda: app.fake.model is None)
        assert "word" not in screen_text(app)


@pytest.mark.asyncio
@pytest.mark.parametrize("paste", [False, True])
async def test_time_asleep_counts_for_the_first_key_too_and_that_key_goes_nowhere(
    paste: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medlora_edge.tui.app.TICK_SECONDS", 3600)
    app = app_that_idles()
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        app.now += 8 * 3600
        if paste:
            app.post_message(events.Paste("x"))
        else:
            await pilot.press("x")
        await locked(pilot, app)
        await unlock(pilot, app)
        await until(pilot, lambda: app.chat.prompt.text)
        assert app.chat.prompt.text == DRAFT


@pytest.mark.asyncio
async def test_private_right_after_the_lock_waits_until_what_was_locked_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = Event()
    app = app_that_idles()
    async with app.run_test() as pilot:
        await chatting(pilot, app)
        close = app.keeper.close

        def slowly() -> None:
            go_on.wait(PATIENCE_SECONDS)
            close()

        monkeypatch.setattr(app.keeper, "close", slowly)
        await pilot.press("ctrl+l")
        await locked(pilot, app)
        await pilot.press("f6", "f6")
        await pilot.pause()
        assert app.locked
        go_on.set()
        await until(pilot, lambda: not app.locked)
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
