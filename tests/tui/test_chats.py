"""Ctrl+R in the app: back into an earlier chat, on from there, and what an erased chat leaves behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from medlora_edge import paths
from medlora_edge.history import TurnState
from medlora_edge.tui.app import EdgeApp
from medlora_edge.tui.chat.standing import Keeping
from medlora_edge.tui.chats import recall_prompts
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.history import History
from medlora_edge.tui.terminal import clipboard
from medlora_edge.tui.to_file import ANSWERS
from medlora_edge.tui.widgets.chat_list import ChatList
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Hang, Say
from tests.tui.shelves import keep_chat, notified, shows

pytestmark = pytest.mark.asyncio


async def listed(pilot: Pilot[None], app: FakeApp, titles: list[str]) -> None:
    await until(pilot, lambda: isinstance(app.screen, History))
    places = app.screen.query_one(ChatList)
    await until(pilot, lambda: [place.chat.title for place in places._places] == titles)


async def test_an_earlier_chat_of_a_private_store_is_opened_and_gone_on_with() -> None:
    app = FakeApp()
    app.fake.script(Say("Fluids."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "What is sepsis?")
        await ended(pilot, app)
        app.chat.begin_chat()
        await ask(pilot, app, "Do statins help?")
        await until(pilot, lambda: len(app.keeper.store.chats()) == 2 and not app.chat.busy)
        await pilot.press("ctrl+r")
        await listed(pilot, app, ["Do statins help?", "What is sepsis?"])
        await shows(pilot, "Not saved")
        await pilot.press("down")
        await shows(pilot, "Fluids.")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat and "Fluids." in screen_text(app))
        await ask(pilot, app, "And in children?")
        await until(pilot, lambda: len(app.keeper.turns()) == 2 and not app.chat.busy)
        assert [turn.question.question for turn in app.keeper.turns()] == ["What is sepsis?", "And in children?"]
        assert [turn.answer for turn in app.fake.asked[-1][1]] == ["Fluids."]


async def test_a_chat_whose_model_is_gone_is_read_copied_and_exported_but_not_gone_on_with() -> None:
    app = FakeApp()
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(pilot, app)
        keep_chat(app.keeper.store, "Old", "Old answer.", model="lost", sha256="ef" * 32)
        await pilot.press("ctrl+r")
        await listed(pilot, app, ["Old"])
        await pilot.press("enter")
        await shows(pilot, "the model lost is no longer installed")
        await ask(pilot, app, "Go on?")
        assert app.chat.prompt.text == "Go on?"
        assert app.fake.asked == []
        await pilot.press("alt+up", "y")
        await until(pilot, lambda: app.copied == ["Old answer."])
        app.export()
        await until(pilot, lambda: list(files()))
        assert "- Model: lost\n" in next(files()).read_text()
        await pilot.press("escape", "ctrl+n", "enter")
        await until(pilot, lambda: app.fake.asked)


async def test_the_list_opens_while_an_answer_is_written_which_goes_on() -> None:
    app = FakeApp()
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await ready(pilot, app)
        keep_chat(app.keeper.store, "Old")
        await ask(pilot, app)
        await until(pilot, lambda: app.fake.busy)
        await pilot.press("ctrl+r")
        await listed(pilot, app, ["What is sepsis?", "Old"])
        await pilot.press("enter")
        await notified(pilot, "An answer is being written")
        await pilot.press("tab", "delete", "escape", "escape")
        await until(pilot, lambda: not app.chat.busy)
        assert app.keeper.turns()[0].state is TurnState.STOPPED
        assert len(app.keeper.store.chats()) == 2


async def test_erasing_the_open_chat_leaves_an_empty_one_and_nothing_to_recall() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "My secret?")
        await ended(pilot, app)
        await pilot.press("ctrl+r")
        await listed(pilot, app, ["My secret?"])
        await pilot.press("tab", "delete")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("down", "enter")
        await listed(pilot, app, [])
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat and not app.chat.transcript.turns())
        await until(pilot, lambda: app.chat.prompt.recall.older("") is None)
        await ask(pilot, app, "Another?")
        await until(pilot, lambda: [chat.title for chat in app.keeper.store.chats()] == ["Another?"])


async def test_up_recalls_what_was_asked_in_every_chat_of_the_store() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        keep_chat(app.keeper.store, "One", asked="First?")
        keep_chat(app.keeper.store, "Two", asked="Which?", task="multiple_choice")
        recall_prompts(app)
        await until(pilot, lambda: app.chat.prompt.recall.older("") and app.chat.prompt.recall.newer() == "")
        await pilot.press("up")
        assert app.chat.prompt.text == "Which?\n(A) Aspirin\n(B) Heparin\n(C) Rest"
        await pilot.press("up", "up", "up", "up")
        assert app.chat.prompt.text == "First?"


async def test_the_palette_opens_the_list() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        commands = {command.title: command.callback for command in app.get_system_commands(app.chat)}
        commands["Chats"]()
        await until(pilot, lambda: isinstance(app.screen, History))


# --- a copy where no clipboard answers --------------------------------------------------------------------


class NoClipboard(FakeApp):
    """Copies as the real app does; `sent`: what went to the terminal."""

    sent: list[str]

    def copy_to_clipboard(self, text: str) -> None:
        EdgeApp.copy_to_clipboard(self, text)

    def copy_through_terminal(self, text: str) -> None:
        self.sent = [text]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> NoClipboard:
    monkeypatch.setattr(clipboard, "copy", lambda text: None)
    return NoClipboard()


def files(pattern: str = "*.md") -> Iterator[Path]:
    return (paths.data_dir() / "exports").glob(pattern)


async def test_a_saved_chat_is_copied_to_a_file_whose_path_is_shown(bare: NoClipboard) -> None:
    async with bare.run_test() as pilot:
        await ready(pilot, bare)
        bare.chat.keep_as(Keeping.SAVED)
        bare.copy_to_clipboard("An answer.")
        await until(pilot, lambda: list(files("*copy.txt")))
        (file,) = files("*copy.txt")
        assert file.read_text() == "An answer.\n"
        await notified(pilot, f"Written, not encrypted: {file}")


@pytest.mark.parametrize("chosen", range(3))
async def test_a_chat_that_is_not_saved_asks_before_it_writes(bare: NoClipboard, chosen: int) -> None:
    async with bare.run_test() as pilot:
        await ready(pilot, bare)
        bare.sent = []
        bare.copy_to_clipboard("An answer.")
        await until(pilot, lambda: isinstance(bare.screen, Choice))
        assert "plain text" in screen_text(bare)
        assert not list(files("*copy.txt"))
        await pilot.press(*["down"] * chosen, "enter")
        await until(pilot, lambda: bare.screen is bare.chat)
        if ANSWERS[chosen] == "Write the file":
            await until(pilot, lambda: list(files("*copy.txt")))
        assert bare.sent == (["An answer."] if "OSC 52" in ANSWERS[chosen] else [])
        assert len(list(files("*copy.txt"))) == (ANSWERS[chosen] == "Write the file")
