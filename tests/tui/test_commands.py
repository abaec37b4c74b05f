"""Keys, commands and themes of the app over a scripted session."""

import pytest

from medlora_edge.notice import NOTICE
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.help import Help
from medlora_edge.tui.screens.list_page import ListPage
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Say

pytestmark = pytest.mark.asyncio


async def test_a_single_ctrl_c_never_quits_and_a_second_one_within_a_second_does() -> None:
    app = FakeApp()
    async with app.run_test(notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press(*"draft", "ctrl+c")
        await until(pilot, lambda: "again to quit" in screen_text(app))
        app.now += 2
        await pilot.press("ctrl+c", "escape")
        assert app.is_running
        assert app.chat.prompt.text == "draft"
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)


async def test_ctrl_d_edits_a_draft_and_quits_an_empty_chat() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"ab", "home", "ctrl+d")
        assert app.chat.prompt.text == "b"
        await pilot.press("ctrl+d", "ctrl+d")
        await until(pilot, lambda: not app.is_running)


async def test_quit_asks_where_an_unsaved_chat_would_be_lost() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running)
    assert app.fake.closed


async def test_ctrl_c_copies_a_selection() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"word", "shift+home", "ctrl+c")
        assert app.copied == ["word"]


async def test_help_lists_live_keys() -> None:
    app = FakeApp()
    async with app.run_test(size=(100, 60)) as pilot:
        await ready(pilot, app)
        await pilot.press("f1")
        await until(pilot, lambda: "To the end of the chat" in screen_text(app))
        for words in ("Send", "New line", "Mode", "Quit", "To the end of the chat"):
            assert words in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)


@pytest.mark.parametrize(("key", "own"), [("ctrl+r", "Chats"), ("f4", "Models")])
async def test_help_lists_the_keys_of_a_page_and_is_not_opened_twice(key: str, own: str) -> None:
    app = FakeApp()
    async with app.run_test(size=(100, 60)) as pilot:
        await ready(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ListPage))
        page = app.screen
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, Help) and own in screen_text(app))
        app.action_help()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is page)


async def test_new_chat_forgets_the_turns_but_not_the_draft() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press(*"draft", "ctrl+n")
        await until(pilot, lambda: not app.chat.transcript.turns())
        assert app.chat.prompt.text == "draft"
        await pilot.press("enter")
        await ended(pilot, app)
        assert app.fake.asked[1][1] == ()


async def test_export_writes_the_chat_with_model_and_notice(home: object) -> None:
    app = FakeApp()
    async with app.run_test(notifications=True, size=(160, 40)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        app.export()
        app.export()
        await until(pilot, lambda: len(exports()) == 2)
        await until(pilot, lambda: "not encrypted" in screen_text(app))
        text = exports()[0].read_text()
        for words in ("What is sepsis?", "An answer.", "starter", "ab" * 32, NOTICE):
            assert words in text


def exports() -> list:  # type: ignore[type-arg]
    from medlora_edge.paths import data_dir

    return sorted((data_dir() / "exports").glob("*.md"))


@pytest.mark.parametrize("theme", ["light", "high-contrast", "dark"])
async def test_themes_are_worn_from_the_palette(theme: str) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("ctrl+p")
        await pilot.press(*f"theme {theme}".replace("-", ""))
        commands = {command.title: command.callback for command in app.get_system_commands(app.chat)}
        commands[f"Theme {theme}"]()
        assert app.theme == theme


async def test_every_size_is_survived() -> None:
    app = FakeApp()
    app.fake.script(Say("word " * 200))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        for size in [(60, 20), (20, 5), (1, 1), (200, 60), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert NOTICE in screen_text(app)
