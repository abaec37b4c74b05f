"""Nothing is lost: what is typed and said is on disk within half a second, whatever comes then."""

import pytest
from textual.pilot import Pilot

from medlora_edge import history
from medlora_edge.errors import ResourceError
from medlora_edge.history import Store, TurnState
from medlora_edge.tui.keeping.draft import read
from tests.history.support import PASSPHRASE
from tests.tui.apps import FakeApp, ask, ended, screen_text, until
from tests.tui.fake_session import Gate, Hang, Say
from tests.tui.kept import folder, kept, unlock

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def _kept() -> None:
    kept()[0].close()


async def stored_draft(pilot: Pilot[None], app: FakeApp, text: str) -> None:
    """Wait for the store to have it."""
    await until(pilot, lambda: read(app.keeper.store.draft()).text == text if app.keeper.store.draft() else not text)


async def test_draft_is_on_disk_while_it_is_typed_and_goes_when_it_is_sent() -> None:
    app = FakeApp()
    app.fake.script(Say("Half"), Hang())
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await pilot.press(*"What")
        await stored_draft(pilot, app, "What")
        await pilot.press(*" now?", "enter")
        await until(pilot, lambda: "Half" in screen_text(app))
        await stored_draft(pilot, app, "")
        assert [turn.question.question for turn in app.keeper.turns()] == ["What now?"]


async def test_question_and_draft_change_places_at_one_stroke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medlora_edge.tui.app.TICK_SECONDS", 3600)
    app = FakeApp()
    app.fake.script(Hang())
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await pilot.press(*"What now?")
        app.keeper.flush()
        assert read(app.keeper.store.draft()).text == "What now?"
        await pilot.press("enter")
        await until(pilot, lambda: app.fake.asked)
        assert [turn.question.question for turn in app.keeper.turns()] == ["What now?"]
        assert app.keeper.store.draft() == ""


async def test_question_that_waits_for_the_model_is_still_the_draft() -> None:
    app = FakeApp()
    app.fake.load_steps = ()
    app.fake.cannot_load = lambda model: ResourceError("not enough memory")
    async with app.run_test() as pilot:
        await unlock_without_model(pilot, app)
        app.fake.load_steps = (Gate("never"),)
        await ask(pilot, app, "Anyone?")
        await until(pilot, lambda: app.chat.busy)
        await stored_draft(pilot, app, "Anyone?")


async def unlock_without_model(pilot: Pilot[None], app: FakeApp) -> None:
    await until(pilot, lambda: app.locked)
    await pilot.press(*PASSPHRASE, "enter")
    await until(pilot, lambda: not app.locked and "not enough memory" in screen_text(app))


async def test_quitting_keeps_the_draft_and_what_was_said() -> None:
    app = FakeApp()
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "Half an ans" in screen_text(app))
        await pilot.press(*"next", "ctrl+q")
        await until(pilot, lambda: "What it says so far is kept" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running)
    with history.unlock(folder(), PASSPHRASE) as store:
        (turn,) = store.interrupted()
        assert (turn.answer, turn.state) == ("Half an ans", TurnState.INTERRUPTED)
        assert read(store.draft()).text == "next"


async def test_full_disk_while_it_answers_is_told_once_and_the_chat_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Store, *args: object, **options: object) -> None:
        raise ResourceError("the chats cannot be written: the disk is full", fix="free space")

    app = FakeApp()
    app.fake.script(Say("Half "), Gate("full"), Say("and half."), Gate("free"))
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        with monkeypatch.context() as disk:
            await ask(pilot, app)
            await until(pilot, lambda: "Half" in screen_text(app))
            for change in ("save_answer", "end", "save_draft"):
                disk.setattr(Store, change, full)
            app.fake.release("full")
            await until(pilot, lambda: "the disk is full" in screen_text(app))
            app.fake.release("free")
            view = await ended(pilot, app)
            assert view.turn.answer == "Half and half."
            assert screen_text(app).count("the disk is full") == 1
        await until(pilot, lambda: app.keeper.turns()[0].answer == "Half and half.", "kept when there is room")
        assert app.keeper.turns()[0].state is TurnState.DONE
        await ask(pilot, app)
        await ended(pilot, app, 2)
