"""From a question typed to a question asked: which model is named with it, and a store that fails meanwhile."""

from dataclasses import replace

import pytest

from medlora_edge import history
from medlora_edge.errors import ResourceError
from medlora_edge.history import Store, Turn
from medlora_edge.models import Model
from medlora_edge.notice import DEMONSTRATION
from medlora_edge.tui import switching
from medlora_edge.tui.about_models.choosing import Chosen
from medlora_edge.tui.keeping.desk import Desk, Order
from medlora_edge.tui.keeping.keeper import Keeper
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.keeping.reopening import reopen
from tests.tui.apps import FakeApp, a_model, ask, ended, ready, until
from tests.tui.fake_session import FakeSession, Gate
from tests.tui.turns import question


def another_model() -> Model:
    """A demonstration model in another file."""
    model = a_model("second")
    manifest = model.manifest.model_copy(update={"sha256": "cd" * 32, "demonstration": True})
    return replace(model, manifest=manifest)


@pytest.mark.asyncio
async def test_a_question_asked_while_a_model_loads_is_kept_with_that_model_and_its_chat_goes_on() -> None:
    app = FakeApp()
    app.fake.load_steps = (0.1, Gate("first"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.is_mounted and app.chat.standing.loading)
        await ask(pilot, app)
        await until(pilot, lambda: app.fake.asked)
        app.fake.release("first")
        await ended(pilot, app)
        app.fake.load_steps = (0.1, Gate("second"))
        switching.switch(app, Chosen(another_model()))
        await until(pilot, lambda: app.chat.standing.loading)
        await ask(pilot, app, "And in children?")
        await until(pilot, lambda: len(app.fake.asked) == 2)
        app.fake.release("second")
        await ended(pilot, app, 2)
        first, second = app.keeper.turns()
        assert (first.model, first.model_sha256, first.settings.get("Warning")) == ("starter", "ab" * 32, None)
        assert (second.model, second.model_sha256) == ("second", "cd" * 32)
        assert second.settings["Warning"] == DEMONSTRATION
        (chat,) = app.keeper.store.chats()
        assert (chat.model, chat.model_sha256) == ("starter", "ab" * 32)
        assert reopen(app.keeper.store, Place(chat), "cd" * 32).why_read_only is None


@pytest.mark.asyncio
async def test_the_context_is_as_large_as_the_session_says() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        assert app.keeper.turns()[0].settings["Context tokens"] == app.fake.window


def test_a_store_that_cannot_be_read_is_no_trouble_while_a_question_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Store, chat: int) -> tuple[Turn, ...]:
        raise ResourceError("disk I/O error")

    session = FakeSession(lambda event: None)
    session.load(a_model())
    with history.private() as store:
        desk = Desk(session, Keeper(store, lambda error: None), lambda event: None)
        desk.keeper.chat = store.new_chat("starter", "ab" * 32)
        monkeypatch.setattr(Store, "turns", broken)
        order = Order("ask", question("What is sepsis?"))
        assert desk.budget(order) is None
        desk.read_ahead(order)
    session.close()
    assert not session.ahead
