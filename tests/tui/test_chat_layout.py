"""The chat in a small terminal: whatever is written, nothing of the screen is pushed out of view."""

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from medlora_edge.notice import UNTRAINED
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.prompt import Abstract
from medlora_edge.tui.widgets.status import Status
from medlora_edge.tui.widgets.turn_view import TurnView
from tests.tui.apps import FakeApp, a_model, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Hang, Label, Read, Say
from tests.tui.turns import ABSTRACT

pytestmark = pytest.mark.asyncio
SIZES = [(80, 24), (60, 20)]
LONG_ABSTRACT = "\n\n".join(f"Part {number}. {ABSTRACT}" for number in range(5))


async def in_pubmedqa(pilot: Pilot[None], app: FakeApp) -> Abstract:
    await ready(pilot, app)
    await pilot.press("shift+tab")
    abstract = app.chat.query_one(Abstract)
    abstract.fill(LONG_ABSTRACT)
    await pilot.pause()
    return abstract


def in_view(app: FakeApp, *widgets: Widget) -> bool:
    """Whole, each, and the screen is not scrolled."""
    return app.chat.max_scroll_y == 0 and all(app.chat.region.contains_region(widget.region) for widget in widgets)


def parts(app: FakeApp) -> tuple[Widget, ...]:
    one = app.chat.query_one
    return one(Notice), one(Abstract), app.chat.prompt, one(Status), one(Keys)


@pytest.mark.parametrize("size", SIZES)
async def test_long_abstract_and_long_question_leave_everything_in_view(size: tuple[int, int]) -> None:
    app = FakeApp()
    app.fake.warning = UNTRAINED
    async with app.run_test(size=size) as pilot:
        abstract = await in_pubmedqa(pilot, app)
        app.chat.prompt.fill("\n".join(f"line {number}" for number in range(12)))
        assert app.focused is abstract
        await pilot.pause()
        assert in_view(app, *parts(app))
        await pilot.press("tab")
        await pilot.pause()
        assert in_view(app, *parts(app))
        assert "line 11" in screen_text(app)
        assert abstract.region.height == 4


@pytest.mark.parametrize("size", SIZES)
async def test_verdict_is_in_view_below_a_long_abstract(size: tuple[int, int]) -> None:
    app = FakeApp()
    app.fake.script(Label("yes", {"yes": 0.8, "no": 0.15, "maybe": 0.05}), Say("yes."))
    async with app.run_test(size=size) as pilot:
        await in_pubmedqa(pilot, app)
        await pilot.press("tab")
        await ask(pilot, app)
        await ended(pilot, app)
        assert app.chat.transcript.size.height >= 9
        assert in_view(app, *parts(app))


async def test_tall_terminal_shows_ten_lines_of_a_question_and_no_more() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 60)) as pilot:
        await ready(pilot, app)
        app.chat.prompt.fill("\n".join(f"line {number}" for number in range(30)))
        await pilot.pause()
        assert app.chat.prompt.size.height == 10


async def test_numbers_of_the_phase_are_whole_beside_a_long_model_name() -> None:
    app = FakeApp(model=a_model("medlora-mistral-7b-v0.3-pubmedqa"))
    app.fake.warning = UNTRAINED
    app.fake.script(Read(1200, 2400), Hang())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "\u2026 0/4,096 tokens" in screen_text(app))
        assert "reading prompt 1,200/2,400 \u00b7 UNTRAINED \u00b7 medlora-m\u2026" in screen_text(app)


async def test_abstract_is_folded_and_says_which_key_shows_the_rest() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await in_pubmedqa(pilot, app)
        await pilot.press("tab")
        await ask(pilot, app)
        await ended(pilot, app)
        assert "more rows, Ctrl+O" in screen_text(app)
        assert "Part 4." not in turn_text(app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Part 4." in turn_text(app))
        assert "more rows" not in turn_text(app)
        await pilot.press("alt+up", "space")
        await until(pilot, lambda: "more rows, Ctrl+O" in turn_text(app))


async def test_abstract_of_an_earlier_turn_is_unfolded_by_the_key_that_it_names() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await in_pubmedqa(pilot, app)
        await pilot.press("tab")
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("shift+tab", "shift+tab")
        await ask(pilot, app, "And in children?")
        await ended(pilot, app, 2)
        assert "more rows, Ctrl+O" in screen_text(app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "more rows" not in screen_text(app) and "Part 4. In 120" in screen_text(app))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "more rows, Ctrl+O" in screen_text(app))


async def test_short_abstract_is_shown_whole() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        (await in_pubmedqa(pilot, app)).fill("a\n\nb\n\nc\n\nd\n\ne")
        await pilot.press("tab")
        await ask(pilot, app)
        view = await ended(pilot, app)
        assert "more rows" not in screen_text(app)
        assert not view.unfold()


async def test_wide_terminal_does_not_stretch_the_lines() -> None:
    app = FakeApp()
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        assert (await ended(pilot, app)).region.width <= 110


async def test_chat_is_paged_from_the_abstract_too() -> None:
    app = FakeApp()
    app.fake.script(Say("A line.\n\n" * 60))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        abstract = await in_pubmedqa(pilot, app)
        abstract.focus()
        scroll = app.chat.transcript.scroll_part
        await until(pilot, lambda: scroll.is_vertical_scroll_end)
        await pilot.press("pageup")
        await until(pilot, lambda: not scroll.is_vertical_scroll_end)
        await pilot.press("end")
        await until(pilot, lambda: scroll.is_vertical_scroll_end)


async def test_read_ahead_is_said_only_of_what_is_typed_still() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.chat.prompt.fill("What is sepsis")
        await until(pilot, lambda: "ready \u00b7 3 tokens read ahead" in screen_text(app))
        await pilot.press("?")
        assert "3 tokens read ahead" in screen_text(app)
        app.chat.prompt.fill("")
        await until(pilot, lambda: "read ahead" not in screen_text(app))
        assert "ready" in screen_text(app)


async def test_keys_are_called_as_all_texts_call_them() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: "Shift+Tab Mode" in screen_text(app))
        assert "F1 Help" in screen_text(app)
        assert "^P Palette" in screen_text(app)
        await pilot.press("f1")
        await until(pilot, lambda: "Ctrl+P" in screen_text(app))


def turn_text(app: FakeApp) -> str:
    """What stands of the last turn on the screen."""
    view: TurnView = app.chat.transcript.turns()[-1]
    region = view.region.intersection(app.chat.transcript.region)
    return "\n".join(screen_text(app).splitlines()[region.y : region.bottom])
