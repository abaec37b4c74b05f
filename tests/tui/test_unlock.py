"""Later starts: passphrase, recovery code, or private this time; and everything that may be wrong with the folder."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.widgets import OptionList

from medlora_edge import history
from medlora_edge.errors import UsageError
from medlora_edge.history import Chat, Store, Turn, TurnState, attempts
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.keeping.draft import Draft, stored
from medlora_edge.tui.screens.chat import ChatScreen
from medlora_edge.tui.screens.choice import Choice
from tests.history.support import PASSPHRASE, asked
from tests.tui.apps import FakeApp, a_model, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Say
from tests.tui.kept import WRONG, cheaply, folder, kept, locked, type_in, unlock
from tests.tui.turns import ABSTRACT

pytestmark = pytest.mark.asyncio
ASKED = "What did I ask before?"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
SHA = a_model().manifest.sha256


class Clock:
    """The wall clock, as the pauses between passphrases see it."""

    def __init__(self) -> None:
        self.now = BEGAN

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    cheaply(monkeypatch)
    clock = Clock()
    monkeypatch.setattr(attempts, "time", clock)
    return clock


@pytest.fixture
def code() -> str:
    """Chats are kept, with one answer in them; their recovery code."""
    store, code = kept()
    with store:
        chat = store.new_chat("starter", SHA)
        turn = begin(store, chat)
        store.end(turn.id, TurnState.DONE, "An old answer.")
    return code


def begin(store: Store, chat: Chat, question: str = ASKED) -> Turn:
    """A question that the fake model is asked."""
    return store.begin(chat.id, "ask", asked(question), model_sha256=SHA, prompts_sha256=SHA)


def bytes_of(folder: Path) -> dict[str, str]:
    """Every file but the lock, by its hash."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- the passphrase ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("code")
async def test_later_start_asks_for_the_passphrase_and_keeps_on() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        assert "saved, encrypted \u00b7 ready \u00b7 starter" in screen_text(app)
        assert PASSPHRASE not in screen_text(app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)
    with history.unlock(folder(), PASSPHRASE) as store:
        assert [store.turns(chat.id)[0].answer for chat in store.chats()] == ["An answer.", "An old answer."]


@pytest.mark.usefixtures("code")
async def test_locked_app_leads_nowhere() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await pilot.press("ctrl+r", "f4", "f5", "ctrl+n", "ctrl+l", "escape", "shift+tab", "tab")
        await locked(pilot, app)
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert offered == {"Theme dark", "Theme light", "Theme high-contrast", "Help", "Quit"}
        assert ASKED not in screen_text(app)
        await pilot.press("f1")
        await until(pilot, lambda: "Recovery code" in screen_text(app))


async def test_wrong_passphrase_must_wait_and_gets_no_hint(code: str, clock: Clock) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await type_in(pilot, WRONG)
        await until(pilot, lambda: "does not open these chats. Try again in 1 s." in screen_text(app))
        await type_in(pilot, PASSPHRASE)
        assert app.locked
        app.now, clock.now = app.now + 2, clock.now + 2
        await type_in(pilot, WRONG)
        await until(pilot, lambda: "Try again in 2 s." in screen_text(app))
        app.now, clock.now = app.now + 3, clock.now - 3_000_000
        await unlock(pilot, app)


@pytest.mark.usefixtures("code")
async def test_pause_goes_on_after_a_restart() -> None:
    with pytest.raises(Exception, match="does not open"):
        history.unlock(folder(), WRONG)
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await until(pilot, lambda: "Try again in 1 s." in screen_text(app))


async def test_recovery_code_gives_a_new_passphrase(code: str) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await pilot.press("f3")
        await type_in(pilot, code.lower().replace("-", " "), "my new passphrase", "my new passphrase")
        await until(pilot, lambda: not app.locked and "saved, encrypted" in screen_text(app))
    with history.unlock(folder(), "my new passphrase") as store:
        assert store.chats()


async def test_recovery_code_that_is_none_is_refused_and_esc_goes_back(code: str) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await pilot.press("f3")
        await type_in(pilot, "1234", "my new passphrase", "my new passphrase")
        await until(pilot, lambda: "That is no recovery code" in screen_text(app))
        await type_in(pilot, code, "my new passphrase", "another")
        await until(pilot, lambda: "not the same" in screen_text(app))
        await pilot.press("escape")
        await unlock(pilot, app)


# --- private ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("code")
async def test_private_this_time_leaves_the_kept_chats_alone() -> None:
    before = bytes_of(folder())
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await pilot.press("f6")
        await until(pilot, lambda: not app.locked)
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        assert "not saved" in screen_text(app)
        assert "Keep chats" not in screen_text(app)
        await pilot.press("ctrl+l")
        assert not app.locked
    assert bytes_of(folder()) == before


@pytest.mark.usefixtures("code")
async def test_private_never_asks_and_never_writes(home: Path) -> None:
    before = bytes_of(home)
    app = FakeApp(private=True)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("f3", "ctrl+l", *"draft")
        await ask(pilot, app)
        await ended(pilot, app)
        assert app.screen is app.chat
        assert "not saved" in screen_text(app)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "An export keeps it." in screen_text(app))
        assert "F3" not in screen_text(app)
    assert bytes_of(home) == before


# --- what may be wrong ------------------------------------------------------------------------------------


async def test_damaged_database_is_read_as_far_as_it_goes_and_never_replaced() -> None:
    store, _ = kept()
    with store:
        for number in range(30):
            chat = store.new_chat("starter", SHA)
            begin(store, chat, f"Question {number}? " + "word " * 500)
    file = folder() / "chats.db"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    app = FakeApp()
    async with app.run_test(notifications=True, size=(100, 40)) as pilot:
        await unlock(pilot, app)
        shown = screen_text(app)
        assert "read only \u00b7 ready \u00b7 starter" in shown
        assert "cannot be read" in shown
        assert app.keeper.store.chats()
        await ask(pilot, app, "Anything?")
        await until(pilot, lambda: "nothing can be asked in them" in screen_text(app))
        assert app.chat.prompt.text == "Anything?"
    assert file.read_bytes() == data


@pytest.mark.usefixtures("code")
@pytest.mark.parametrize("name", ["chats.db", "keys.json"])
async def test_folder_that_cannot_be_opened_says_why_and_private_is_left(name: str) -> None:
    for file in folder().glob(f"{name.split('.', maxsplit=1)[0]}*"):
        file.write_bytes(b"")
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await type_in(pilot, PASSPHRASE)
        await until(pilot, lambda: "missing or" in screen_text(app))
        await pilot.press("f6")
        await until(pilot, lambda: not app.locked)
        await ready(pilot, app)
        assert "not saved" in screen_text(app)


@pytest.mark.usefixtures("code")
async def test_second_instance_is_told_and_may_go_on_private() -> None:
    with history.unlock(folder(), PASSPHRASE):
        app = FakeApp()
        async with app.run_test() as pilot:
            await until(pilot, lambda: "in use by another process" in screen_text(app))
            await type_in(pilot, PASSPHRASE)
            await until(pilot, lambda: "in use by another process: wait for it" in screen_text(app))
            await pilot.press("f6")
            await until(pilot, lambda: not app.locked)


@pytest.mark.usefixtures("code")
async def test_without_the_cipher_kept_chats_stay_shut_and_the_chat_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    before = bytes_of(folder())
    monkeypatch.setattr(history, "has_cipher", lambda: False)
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert "SQLCipher is missing" in screen_text(app)
        assert "not saved" in screen_text(app)
        await pilot.press("f3")
        assert app.screen is app.chat
    assert bytes_of(folder()) == before


# --- what comes back --------------------------------------------------------------------------------------


async def test_draft_comes_back_with_its_mode_its_abstract_and_its_chat() -> None:
    store, _ = kept()
    with store:
        chat = store.new_chat("starter", SHA)
        store.end(begin(store, chat).id, TurnState.DONE, "An old answer.")
        store.save_draft(stored(Draft("pubmedqa", "Does it?", ABSTRACT, chat.id)))
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await unlock(pilot, app)
        await until(pilot, lambda: ASKED in screen_text(app))
        assert app.chat.draft() == Draft("pubmedqa", "Does it?", ABSTRACT, chat.id)
        await pilot.press("enter")
        await ended(pilot, app, 2)


async def test_draft_is_never_kept_as_less_than_it_is_on_its_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    note = ChatScreen.note_draft

    def noting(chat: ChatScreen) -> None:
        note(chat)
        if chat.standing.keeping is Keeping.SAVED:
            noted.append(chat.desk.keeper.draft.text)

    monkeypatch.setattr(ChatScreen, "note_draft", noting)
    store, _ = kept()
    with store:
        chat = store.new_chat("starter", SHA)
        store.end(begin(store, chat).id, TurnState.DONE, "An old answer.")
        store.save_draft(stored(Draft("pubmedqa", "Does it?", ABSTRACT, chat.id)))
    app = FakeApp()
    async with app.run_test() as pilot:
        await unlock(pilot, app)
        await until(pilot, lambda: noted)
        assert set(noted) == {"Does it?"}


async def test_what_was_said_behind_the_lock_stands_behind_the_chat() -> None:
    store, _ = kept()
    with store:
        chat = store.new_chat("starter", SHA)
        store.end(begin(store, chat).id, TurnState.DONE, "An old answer.")
        store.save_draft(stored(Draft("ask", "And?", chat=chat.id)))
    missing, wrong = UsageError("no model is there", fix="add one"), UsageError("settings.toml: bad value")
    app = FakeApp(problem=missing, troubles=[wrong])
    async with app.run_test(size=(100, 40)) as pilot:
        await locked(pilot, app)
        await until(pilot, lambda: len(app.chat.transcript.notes) == 2)
        await type_in(pilot, PASSPHRASE)
        await until(pilot, lambda: "An old answer." in screen_text(app))
        await until(pilot, lambda: "no model is there" in screen_text(app))
        shown = screen_text(app)
        assert shown.index("An old answer.") < shown.index("settings.toml: bad value")


@pytest.mark.parametrize(("said", "answers"), [("Half ", 3), ("", 2)])
async def test_interrupted_answer_is_offered_and_gone_on_with(said: str, answers: int) -> None:
    store, _ = kept()
    with store:
        chat = store.new_chat("starter", SHA)
        turn = begin(store, chat)
        if said:
            store.save_answer(turn.id, said)
    app = FakeApp()
    app.fake.script(Say("and half."))
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await type_in(pilot, PASSPHRASE)
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert ASKED in screen_text(app)
        assert app.screen.query_one(OptionList).option_count == answers
        await pilot.press("enter")
        await until(pilot, lambda: len(app.fake.asked) == 1 and not app.chat.busy)
        last = app.keeper.turns()[-1]
        assert (last.answer, last.state, last.retry_of) == (f"{said}and half.", TurnState.DONE, turn.id)


async def test_interrupted_answer_may_wait() -> None:
    store, _ = kept()
    with store:
        begin(store, store.new_chat("starter", SHA))
    app = FakeApp()
    async with app.run_test() as pilot:
        await locked(pilot, app)
        await type_in(pilot, PASSPHRASE)
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await until(pilot, lambda: "Interrupted" in screen_text(app))
        assert not app.fake.asked
