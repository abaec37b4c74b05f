"""From a chat that is not saved to one that is: passphrase twice, the recovery code read back, nothing left behind."""

import re
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot

from medlora_edge import history
from medlora_edge.errors import ResourceError
from medlora_edge.history import Store, TurnState, database
from medlora_edge.tui.screens.keep import Keep
from tests.history.support import PASSPHRASE
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Gate, Say
from tests.tui.kept import cheaply, folder, type_in
from tests.tui.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio
GROUP = re.compile(r"Type group (\d)")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheaply(monkeypatch)


async def begin(pilot: Pilot[None], app: FakeApp) -> None:
    """Press the key that the footer shows."""
    assert "F3 Keep chats" in screen_text(app)
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(app.screen, Keep))


async def shown_code(pilot: Pilot[None], app: FakeApp) -> tuple[str, int]:
    """The recovery code on the screen, and the group that is asked for."""
    await until(pilot, lambda: GROUP.search(screen_text(app)), "the recovery code")
    groups = re.findall(r"(\d): (\w{4})", screen_text(app))
    assert [number for number, _ in groups] == [*"12345678"]
    found = GROUP.search(screen_text(app))
    assert found
    return "-".join(group for _, group in groups), int(found[1])


async def test_first_start_is_a_usable_chat_that_is_not_saved_and_can_be_kept() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert "not saved \u00b7 ready \u00b7 starter" in screen_text(app)
        assert not folder().exists()
        await ask(pilot, app)
        await ended(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        code, number = await shown_code(pilot, app)
        await type_in(pilot, code.split("-")[number - 1].lower())
        await until(pilot, lambda: app.screen is app.chat)
        assert "saved, encrypted \u00b7 ready (10.0 tok/s, 6.0 s) \u00b7 starter" in screen_text(app)
        assert code not in screen_text(app)
        assert "Keep chats" not in screen_text(app)
        assert "What is sepsis?" in screen_text(app)
        await ask(pilot, app, "And in children?")
        await ended(pilot, app, 2)
    with history.recover(folder(), code, "another passphrase") as store:
        (chat,) = store.chats()
        assert [turn.answer for turn in store.turns(chat.id)] == ["An answer.", "An answer."]


async def test_passphrase_that_will_not_do_is_refused_and_nothing_is_written() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE + "x")
        await until(pilot, lambda: "The two are not the same" in screen_text(app))
        await type_in(pilot, "short", "short")
        await until(pilot, lambda: "The passphrase is too short" in screen_text(app))
        assert PASSPHRASE not in screen_text(app)
        assert not folder().exists()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert "not saved" in screen_text(app)


async def test_code_must_be_read_back_before_it_goes_away() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 30)) as pilot:
        await ready(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        code, number = await shown_code(pilot, app)
        for key in ("escape", "ctrl+q", "ctrl+d", "ctrl+c", "ctrl+c"):
            await pilot.press(key)
            await until(pilot, lambda: "Write the code down first" in screen_text(app))
            await type_in(pilot, "0000")
            await until(pilot, lambda: "not what the group says" in screen_text(app))
            assert isinstance(app.screen, Keep)
        await pilot.press("ctrl+l")
        app.vault.lock()
        await pilot.pause()
        assert isinstance(app.screen, Keep)
        await type_in(pilot, f" {code.split('-')[number - 1]} ")
        await until(pilot, lambda: app.screen is app.chat)
        assert app.vault.may_lock


async def test_code_that_is_being_made_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    create, go_on = history.create, Event()

    def slowly(*arguments: Any, **options: Any) -> tuple[Store, str]:
        go_on.wait(PATIENCE_SECONDS)
        return create(*arguments, **options)

    monkeypatch.setattr(history, "create", slowly)
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        await until(pilot, lambda: "Encrypting..." in screen_text(app))
        await pilot.press("ctrl+q", "escape", "ctrl+c", "ctrl+c")
        await pilot.pause()
        go_on.set()
        await shown_code(pilot, app)


async def test_answer_under_way_goes_on_in_the_kept_chat() -> None:
    app = FakeApp()
    app.fake.script(Say("Half "), Gate("kept"), Say("and half."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "Half" in screen_text(app))
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        code, number = await shown_code(pilot, app)
        app.fake.release("kept")
        await type_in(pilot, code.split("-")[number - 1])
        await ended(pilot, app)
    with history.unlock(folder(), PASSPHRASE) as store:
        (turn,) = store.turns(store.chats()[0].id)
        assert (turn.answer, turn.state) == ("Half and half.", TurnState.DONE)


async def test_draft_is_kept_with_the_chats() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"half a question")
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        await shown_code(pilot, app)
    with history.unlock(folder(), PASSPHRASE) as store:
        assert "half a question" in store.draft()


async def test_place_that_cannot_be_written_leaves_the_chat_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise ResourceError("the disk is full", fix="free space")

    monkeypatch.setattr(history, "create", full)
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        await until(pilot, lambda: "The disk is full: free space." in screen_text(app))
        await pilot.press("escape")
        await ask(pilot, app)
        await ended(pilot, app, 2)
        assert "not saved" in screen_text(app)


async def test_without_the_cipher_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "has_cipher", lambda: False)
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await begin(pilot, app)
        await type_in(pilot, PASSPHRASE, PASSPHRASE)
        await until(pilot, lambda: "SQLCipher" in screen_text(app))
        assert not folder().exists()
