"""The settings as the app obeys them, and a broken file that opens it all the same."""

from pathlib import Path
from typing import Any

import pytest

from medlora_edge.settings import Settings, load_settings_or_defaults
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.widgets.card import Card
from tests.tui.apps import FakeApp, ended, ready, screen_text, until

pytestmark = pytest.mark.asyncio


def with_settings(**app: Any) -> FakeApp:
    return FakeApp(settings=Settings.model_validate({"app": app}))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_the_theme_is_worn_from_the_start(theme: str) -> None:
    app = with_settings(theme=theme)
    async with app.run_test():
        assert app.theme == theme


async def test_send_and_new_line_change_places() -> None:
    app = with_settings(send_key="ctrl+j")
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"One", "enter", *"two")
        assert app.chat.prompt.text == "One\ntwo"
        assert app.fake.asked == []
        await pilot.press("ctrl+j")
        view = await ended(pilot, app)
        assert "Ctrl+J sends, Enter begins a new line." in screen_text(app).replace("\n", " ")
        assert view.turn.question.question == "One\ntwo"
        assert app.chat.prompt.text == ""


async def test_enter_sends_unless_told_otherwise() -> None:
    app = with_settings()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"One", "ctrl+j", *"two")
        assert app.chat.prompt.text == "One\ntwo"
        await pilot.press("enter")
        await ended(pilot, app)


@pytest.mark.parametrize("wanted", [True, False])
async def test_nothing_is_read_ahead_where_that_is_switched_off(wanted: bool) -> None:
    app = with_settings(type_ahead=wanted)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*"sepsis")
        await until(pilot, lambda: app.chat.standing.budget and app.chat.standing.budget.used, "tokens were counted")
        if wanted:
            await until(pilot, lambda: app.fake.ahead)
        await app.workers.wait_for_complete()
        assert bool(app.fake.ahead) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[app]\n\ntheme = 'pink'\n", "app.theme = 'pink'"),
        ("[app\n", "do not parse"),
        ("[app]\nidle = 1\n", "app.idle"),
    ],
)
async def test_a_broken_file_means_defaults_and_a_card_with_the_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    settings, trouble = load_settings_or_defaults(file)
    assert trouble
    app = FakeApp(settings=settings, troubles=[trouble])
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.query(Card))
        await ready(pilot, app)
        assert words in screen_text(app)
        assert "line" in screen_text(app)
        assert app.theme == THEMES[0].name
