"""The prompt of the chat: keys, pastes, recall, and what does not fit into the context."""

import pytest
from textual import events

from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.widgets.prompt import LONGEST_PASTE
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Gate, Say

pytestmark = pytest.mark.asyncio


# --- the context's limit ----------------------------------------------------------------------------------


async def test_words_that_are_not_counted_yet_are_estimated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: "0/4,096 tokens" in screen_text(app))
        monkeypatch.setattr("medlora_edge.tui.screens.counting.PAUSE_SECONDS", 3600)
        app.chat.prompt.fill("one two three four five")
        await until(pilot, lambda: "~6/4,096 tokens" in screen_text(app))
        app.chat.prompt.fill("")
        await until(pilot, lambda: " 0/4,096 tokens" in screen_text(app))
        monkeypatch.setattr("medlora_edge.tui.screens.counting.PAUSE_SECONDS", 0.01)
        app.chat.prompt.fill("one two three four five")
        await until(pilot, lambda: " 5/4,096 tokens" in screen_text(app))


async def test_tokens_are_shown_before_the_question_is_sent() -> None:
    app = FakeApp()
    app.fake.window = 100
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.chat.prompt.fill("word " * 81)
        await until(pilot, lambda: "!81/100 tokens" in screen_text(app))
        assert not app.fake.asked


async def test_nothing_is_cut_without_the_users_word() -> None:
    app = FakeApp()
    app.fake.window = 100
    app.fake.script(Say("word " * 50))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await ask(pilot, app, "And now?")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert app.chat.prompt.text == "And now?"
        assert len(app.fake.asked) == 1
        await pilot.press("enter")
        await ended(pilot, app, 2)
        assert app.fake.asked[1][1] == ()


@pytest.mark.parametrize("new_chat", [False, True])
async def test_what_was_typed_meanwhile_stays_in_the_prompt(new_chat: bool) -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "one two three")
        await ended(pilot, app)
        app.fake.window = 70
        app.fake.unload("gone")
        await until(pilot, lambda: not app.chat.standing.ready)
        app.fake.load_steps = (0.1, Gate("loaded"))
        await ask(pilot, app, "word word word")
        await until(pilot, lambda: app.chat.standing.loading)
        await pilot.press(*"next")
        app.fake.release("loaded")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert app.chat.prompt.text == "word word word\nnext"
        await pilot.press(*(["down"] if new_chat else []), "enter")
        await until(pilot, lambda: len(app.fake.asked) == 2 and not app.chat.busy)
        assert app.chat.prompt.text == "next"


async def test_edited_question_that_moves_to_a_new_chat_is_no_variant_there() -> None:
    app = FakeApp()
    app.fake.window = 100
    app.fake.script(Say("word " * 20))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        for number, text in enumerate(("What is sepsis?", "And now?"), 1):
            await ask(pilot, app, text)
            await ended(pilot, app, number)
        await pilot.press("alt+up", "e")
        await until(pilot, lambda: app.chat.asking.edits)
        await ask(pilot, app, "long " * 20)
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(app.fake.asked) == 3 and not app.chat.busy)
        asked, earlier = app.fake.asked[2]
        assert (asked.retry_of, earlier) == (None, ())
        assert app.keeper.turns()[0].chat != app.fake.asked[0][0].chat


# --- the prompt -------------------------------------------------------------------------------------------


async def test_newline_keys_and_pastes_never_send() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "alt+enter", "d")
        app.chat.prompt.post_message(events.Paste("x\r\ny\rz\n"))
        await until(pilot, lambda: app.chat.prompt.text == "a\nb\nc\ndx\ny\nz\n")
        assert not app.fake.asked


async def test_prompt_grows_to_ten_lines() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        for lines, height in [(1, 1), (4, 4), (10, 10), (30, 10)]:
            app.chat.prompt.fill("\n".join("x" * lines))
            await until(pilot, lambda: app.chat.prompt.content_size.height == height)  # noqa: B023
        assert app.chat.prompt.text.count("\n") == 29


@pytest.mark.parametrize(
    ("paste", "why"),
    [("\x00\x01\x02\x1b" * 100, "not text"), ("x" * (LONGEST_PASTE + 1), "no context holds that")],
    ids=["binary", "too long"],
)
async def test_paste_that_is_no_text_is_refused_whole(paste: str, why: str) -> None:
    app = FakeApp()
    async with app.run_test(notifications=True) as pilot:
        await ready(pilot, app)
        app.chat.prompt.post_message(events.Paste(paste))
        await until(pilot, lambda: why in screen_text(app))
        assert app.chat.prompt.text == ""


async def test_up_and_down_recall_prompts_and_keep_the_draft() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        for number, text in enumerate(("First?", "Second?"), 1):
            await ask(pilot, app, text)
            await ended(pilot, app, number)
        await pilot.press(*"draft", "up")
        assert app.chat.prompt.text == "Second?"
        await pilot.press("up", "up")
        assert app.chat.prompt.text == "First?"
        await pilot.press("down", "down")
        assert app.chat.prompt.text == "draft"
