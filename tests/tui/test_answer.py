"""The widget of an answer: what it draws is inert, its text is as the model wrote it, what is selected is copied."""

import pytest
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from medlora_edge.privacy import clean
from medlora_edge.tui.markdown import growing
from medlora_edge.tui.themes import THEMES
from medlora_edge.tui.widgets.answer import Answer
from tests.tui.test_markdown import SAMPLE

pytestmark = pytest.mark.asyncio
HOSTILE = (
    SAMPLE
    + "[x](javascript:alert(1)) [@click=app.quit]quit[/] [link='http://example.org']y[/]\n\u001b]52;c;eA==\u0007\u009b2J"
)


class Shown(App[None]):
    """One answer in what scrolls."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.answer = Answer(text)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield self.answer


def rows(answer: Answer) -> list[str]:
    return [answer.render_line(y).text.rstrip() for y in range(answer.size.height)]


async def selected(pilot: Pilot[None], app: Shown, begin: Offset | None, end: Offset | None) -> str:
    app.screen.selections = {app.answer: Selection(begin, end)}
    await pilot.pause()
    return app.screen.get_selected_text() or ""


async def test_nothing_drawn_acts_or_steers_and_the_text_is_kept_as_it_came() -> None:
    app = Shown()
    async with app.run_test(size=(60, 40)) as pilot:
        for character in HOSTILE:
            app.answer.say(character)
        await pilot.pause()
        assert app.answer.text == HOSTILE
        for y in range(app.answer.size.height):
            for segment in app.answer.render_line(y):
                assert segment.text == clean(segment.text)
                assert segment.style is None or set(segment.style.meta) <= {"offset"}
                assert segment.style is None or segment.style.link is None
        assert "[@click=app.quit]quit[/]" in " ".join(rows(app.answer))


async def test_streamed_answer_stands_there_as_one_that_was_kept() -> None:
    streamed, kept = Shown(), Shown(SAMPLE)
    async with streamed.run_test(size=(50, 40)) as pilot:
        for start in range(0, len(SAMPLE), 3):
            streamed.answer.say(SAMPLE[start : start + 3])
            if start % 60 == 0:
                await pilot.pause()
        streamed.answer.reset(SAMPLE)
        await pilot.pause()
        shown = rows(streamed.answer)
    async with kept.run_test(size=(50, 40)) as pilot:
        await pilot.pause()
        assert rows(kept.answer) == shown


async def test_answer_cut_in_parts_while_it_came_is_read_anew_at_its_end() -> None:
    text = "```\n" + "x = 1\n" * growing.LONGEST + "```\nAfter."
    app = Shown()
    async with app.run_test(size=(50, 20)) as pilot:
        for start in range(0, len(text), 1000):
            app.answer.say(text[start : start + 1000])
        app.answer.reset(text)
        await pilot.pause()
        assert app.answer.text == text
        assert app.answer.size.height == growing.LONGEST + 1


async def test_selection_copies_lines_whole_and_code_without_its_bar() -> None:
    words = "A paragraph that is wrapped on a screen of thirty cells."
    app = Shown(f"{words}\n\n```\nx = 1\n```\n- item")
    async with app.run_test(size=(32, 20)) as pilot:
        await pilot.pause()
        assert len(rows(app.answer)) == 5
        assert await selected(pilot, app, None, None) == f"{words}\n\nx = 1\n\u2022 item"
        assert await selected(pilot, app, Offset(2, 0), Offset(11, 0)) == "paragraph"
        assert await selected(pilot, app, Offset(-2, 2), Offset(5, 2)) == "x = 1"


async def test_what_is_selected_is_marked() -> None:
    app = Shown("one two")
    async with app.run_test(size=(32, 20)) as pilot:
        await selected(pilot, app, Offset(4, 0), Offset(7, 0))
        looks = {segment.text: segment.style for segment in app.answer.render_line(0)}
        assert looks["two"] != looks["one "]


async def test_resize_lays_it_out_again() -> None:
    app = Shown("word " * 40)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        before = app.answer.size.height
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert app.answer.size.height > before
        assert max(map(len, rows(app.answer))) <= 30
