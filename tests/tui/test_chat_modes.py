"""PubMedQA and multiple choice in the chat: the verdict, and where there is none."""

import pytest
from textual import events

from medlora_edge.history import TurnState
from medlora_edge.tui.widgets.prompt import Abstract
from medlora_edge.tui.widgets.turn_view import TurnView
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Hang, Label, Say
from tests.tui.shelves import notified
from tests.tui.turns import ABSTRACT

pytestmark = pytest.mark.asyncio


async def test_pubmedqa_asks_about_the_abstract_and_shows_the_verdict() -> None:
    app = FakeApp()
    app.fake.script(Label("yes", {"yes": 0.8, "no": 0.15, "maybe": 0.05}), Say("yes. It lowered mortality."))
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab")
        await until(pilot, lambda: isinstance(app.focused, Abstract))
        app.focused.post_message(events.Paste(f"{ABSTRACT}\n\nCosts rose."))  # type: ignore[union-attr]
        await pilot.press("tab")
        await ask(pilot, app, "Does it work?")
        await ended(pilot, app)
        (turn, _) = app.fake.asked[0]
        assert (turn.task, turn.question.contexts) == ("pubmedqa", (ABSTRACT, "Costs rose."))
        shown = screen_text(app)
        assert "Verdict  \u2714 yes" in shown
        assert "80.0%" in shown
        assert "What the model finds likeliest; the text below was written for it." in shown
        assert "Do not rely" not in shown
        assert shown.index("Verdict") < shown.index("It lowered mortality.")


async def test_verdict_is_shown_and_kept_before_the_answer_is_written() -> None:
    app = FakeApp()
    app.fake.script(Label("B", {"A": 0.2, "B": 0.8}), Hang())
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab", "shift+tab")
        await ask(pilot, app, "Which? (A) this (B) that")
        await until(pilot, lambda: "Verdict  (B)" in screen_text(app))
        await until(pilot, lambda: app.keeper.turns()[0].label == "B")
        assert app.keeper.turns()[0].state is TurnState.WAITING
        assert app.chat.busy


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("(B) that. The answer is A.", "does not stay with it"),
        ("The answer is A.", "but its answer says (A)"),
    ],
)
async def test_answer_that_does_not_say_what_the_verdict_says_is_called_out(answer: str, said: str) -> None:
    app = FakeApp()
    app.fake.script(Label("B", {"A": 0.2, "B": 0.8}), Say(answer))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab", "shift+tab")
        await ask(pilot, app, "Which? (A) this (B) that")
        await ended(pilot, app)
        shown = screen_text(app)
        assert "Verdict  (B)" in shown
        assert "! The verdict is (B), but" in shown
        assert said in shown
        assert "Do not rely on either unchecked." in shown


async def test_no_verdict_is_said_and_never_guessed() -> None:
    app = FakeApp()
    app.fake.script(Label(None, {"A": 0.5, "B": 0.5}), Say("The answer is B."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab", "shift+tab")
        app.chat.prompt.fill("Which?\n(A) this\n(B) that")
        await until(pilot, lambda: app.chat.prompt.border_subtitle == "options A-B")
        await pilot.press("enter")
        await ended(pilot, app)
        assert "no verdict: the two likeliest" in screen_text(app)
        assert "Asked again it may say another" in screen_text(app)
        assert app.fake.asked[0][0].question.options == {"A": "this", "B": "that"}


async def test_question_that_lacks_a_part_is_refused_with_its_draft() -> None:
    app = FakeApp()
    async with app.run_test(notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab", "tab")
        await ask(pilot, app, "Does it?")
        await until(pilot, lambda: "at least one context" in screen_text(app))
        assert app.chat.prompt.text == "Does it?"
        await pilot.press("shift+tab", "enter")
        assert app.chat.prompt.text == "Does it?"
        assert not app.fake.asked


async def test_an_abstract_that_was_not_asked_about_is_not_overwritten_by_an_edit() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("shift+tab")
        box = app.chat.query_one(Abstract)
        await until(pilot, lambda: app.focused is box)
        box.fill(ABSTRACT)
        await pilot.press("alt+up")
        await until(pilot, lambda: isinstance(app.focused, TurnView))
        await pilot.press("e")
        await notified(pilot, "was not asked about yet")
        assert (box.text, app.chat.prompt.text) == (ABSTRACT, "")
        app.chat.prompt.focus()
        await ask(pilot, app, "Does it work?")
        await ended(pilot, app, 2)
        await pilot.press("alt+up", "alt+up", "e")
        await until(pilot, lambda: app.chat.prompt.text == "What is sepsis?")


async def test_an_abstract_asked_about_in_another_chat_does_not_refuse_an_edit() -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+tab")
        app.chat.query_one(Abstract).fill(ABSTRACT)
        app.chat.prompt.focus()
        await ask(pilot, app, "Does it work?")
        await ended(pilot, app)
        await pilot.press("ctrl+n", "shift+tab", "shift+tab")
        await ask(pilot, app)
        assert (await ended(pilot, app)).turn.task == "ask"
        await pilot.press("alt+up", "e")
        await until(pilot, lambda: app.chat.prompt.text == "What is sepsis?")
