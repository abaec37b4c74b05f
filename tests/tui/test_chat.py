"""The chat screen over a scripted session: everything a user does, and everything that may go wrong meanwhile."""

from threading import Event
from typing import Any

import pytest

from medlora_edge.errors import CorruptError, EngineError
from medlora_edge.history import Turn, TurnState
from medlora_edge.notice import NOTICE
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Crash, End, Fail, Gate, Hang, Label, Read, Say
from tests.tui.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio


# --- the chat ---------------------------------------------------------------------------------------------


async def test_opens_a_chat_that_says_it_is_not_saved_and_what_it_is_for() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        shown = screen_text(app)
        assert NOTICE in shown
        assert "not saved \u00b7 ready \u00b7 starter" in shown
        assert app.focused is app.chat.prompt


async def test_typing_works_while_the_model_loads_and_a_question_waits_for_it() -> None:
    app = FakeApp()
    app.fake.load_steps = (0.4, Gate("loaded"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "loading 40%" in screen_text(app))
        await pilot.press(*"Hi", "enter")
        await until(pilot, app.chat.transcript.turns)
        assert "loading 40%" in screen_text(app)
        app.fake.release("loaded")
        assert (await ended(pilot, app)).answer.text == "An answer."


async def test_answer_streams_with_numbers_for_every_phase() -> None:
    app = FakeApp()
    app.fake.script(Read(20, 120), Gate("read"), Say("Sepsis "), Gate("said"), Say("is\nan infection."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "reading prompt 20/120" in screen_text(app))
        app.fake.release("read")
        await until(pilot, lambda: "answering 1" in screen_text(app))
        assert "Sepsis" in screen_text(app)
        app.fake.release("said")
        view = await ended(pilot, app)
        assert view.answer.text == "Sepsis is\nan infection."
        await until(pilot, lambda: "prompt 120 tokens (20 from cache) in 1.0 s" in screen_text(app))
        assert "10.0 tok/s" in screen_text(app)
        (kept,) = app.keeper.turns()
        assert (kept.answer, kept.state) == (view.answer.text, TurnState.DONE)


async def test_question_is_kept_before_it_is_asked_and_what_is_said_is_kept_while_it_is_said() -> None:
    app = FakeApp()
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: [turn.answer for turn in app.keeper.turns()] == ["Half an ans"])
        assert app.keeper.turns()[0].state is TurnState.ANSWERING


async def test_next_question_goes_on_from_the_answer() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await ask(pilot, app, "And in children?")
        await ended(pilot, app, 2)
        _, earlier = app.fake.asked[1]
        assert [turn.answer for turn in earlier] == ["An answer."]


# --- stop -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_stop_keeps_and_marks_what_was_said(key: str) -> None:
    app = FakeApp()
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "Half an ans" in screen_text(app))
        await pilot.press(*"draft", key)
        view = await ended(pilot, app)
        assert view.answer.text == "Half an ans"
        assert "Stopped by you." in screen_text(app)
        assert app.chat.prompt.text == "draft"
        assert app.keeper.turns()[0].state is TurnState.STOPPED
        await pilot.press("enter")
        await ended(pilot, app, 2)
        assert app.fake.asked[1][1] == ()


async def test_stop_while_the_question_waits_for_the_model() -> None:
    app = FakeApp()
    app.fake.load_steps = (0.1, Gate("never"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fake.loaded)
        await ask(pilot, app)
        await until(pilot, lambda: app.fake.busy)
        await pilot.press("escape")
        await ended(pilot, app)
        assert "Stopped by you." in screen_text(app)


async def test_stop_while_the_prompt_is_read_and_behind_the_verdict() -> None:
    app = FakeApp()
    app.fake.script(Read(1, 9), Hang())
    app.fake.script(Label("A", {"A": 0.9, "B": 0.1}), Hang())
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: "reading prompt 1/9" in screen_text(app))
        await pilot.press("escape")
        await ended(pilot, app)
        await ask(pilot, app, "Which? (A) this (B) that")
        await until(pilot, lambda: "Verdict  (A)" in screen_text(app))
        await pilot.press("escape")
        await ended(pilot, app, 2)
        assert "Verdict  (A)" in screen_text(app)
        stopped = app.keeper.turns()[1]
        assert (stopped.state, stopped.answer, stopped.label) == (TurnState.STOPPED, "", "A")


async def test_stop_of_the_load_and_the_next_question_loads_it() -> None:
    app = FakeApp()
    app.fake.load_steps = (0.1, Gate("never"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.is_mounted and app.chat.standing.loading)
        await pilot.press("escape")
        await until(pilot, lambda: "The load was stopped." in screen_text(app))
        app.fake.load_steps = (1.0,)
        await ask(pilot, app)
        assert (await ended(pilot, app)).answer.text == "An answer."


# --- one at a time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("What is sepsis?", ""),
        ("What is sepsis?\nAnd in children?", "And in children?"),
        ("What is sepsis? And in children?", "What is sepsis? And in children?"),
    ],
)
async def test_stop_while_the_question_is_being_kept_leaves_it_in_one_place(now: str, left: str) -> None:
    app = FakeApp()
    go_on = Event()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        begin = app.keeper.begin

        def slowly(*arguments: Any, **options: Any) -> Turn:
            turn = begin(*arguments, **options)
            go_on.wait(PATIENCE_SECONDS)
            return turn

        app.keeper.begin = slowly  # type: ignore[method-assign]
        await ask(pilot, app)
        await until(pilot, app.keeper.turns)
        await pilot.press("escape")
        await until(pilot, lambda: app.chat.prompt.text == "What is sepsis?")
        app.chat.prompt.fill(now)
        app.chat.asking.edit_on(7)
        go_on.set()
        assert (await ended(pilot, app)).turn.state is TurnState.STOPPED
        assert app.chat.prompt.text == left
        assert app.chat.asking.edits == (7 if left == now else None)
        assert not app.fake.asked


async def test_hammering_enter_asks_once_and_a_second_question_is_refused_with_its_draft() -> None:
    app = FakeApp()
    app.fake.script(Say("Well"), Hang())
    async with app.run_test(notifications=True) as pilot:
        await ready(pilot, app)
        app.chat.prompt.fill("First?")
        await pilot.press(*["enter"] * 10)
        await until(pilot, lambda: app.fake.busy)
        app.chat.prompt.fill("Second?")
        await pilot.press(*["enter"] * 5)
        await until(pilot, lambda: "An answer is being written" in screen_text(app))
        assert app.chat.prompt.text == "Second?"
        assert len(app.fake.asked) == 1


async def test_retry_asks_again_and_keeps_both() -> None:
    app = FakeApp()
    app.fake.script(Say("One."))
    app.fake.script(Say("Two."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        first = await ended(pilot, app)
        await pilot.press("alt+up")
        assert app.focused is first
        await pilot.press("r")
        await until(pilot, lambda: [turn.answer for turn in app.keeper.turns()] == ["One.", "Two."])
        second = await ended(pilot, app)
        assert (first.answer.text, second.answer.text) == ("One.", "Two.")
        assert second.turn.retry_of == first.turn.id
        assert app.fake.asked[1][1] == ()


async def test_edit_and_copy_of_a_turn() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "Which? (A) this (B) that")
        await ended(pilot, app)
        await pilot.press("alt+up", "y", "e")
        await until(pilot, lambda: app.focused is app.chat.prompt)
        assert app.copied == ["An answer."]
        assert app.chat.prompt.text == "Which? (A) this (B) that"
        await pilot.press("alt+up", "e", "escape")
        assert app.chat.prompt.text == "Which? (A) this (B) that"


async def test_edited_question_is_a_variant_and_what_it_was_stays() -> None:
    app = FakeApp()
    for words in ("One.", "Two.", "Three."):
        app.fake.script(Say(words))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "What is sepsis?")
        await ended(pilot, app)
        await ask(pilot, app, "And in children?")
        await ended(pilot, app, 2)
        await pilot.press("alt+up", "alt+up", "e")
        await until(pilot, lambda: "edits an earlier question" in screen_text(app))
        await ask(pilot, app, "What is shock?")
        await until(pilot, lambda: "Three." in screen_text(app))
        await until(pilot, lambda: not app.chat.busy)
        asked, earlier = app.fake.asked[2]
        assert (asked.retry_of, asked.question.question, earlier) == (app.fake.asked[0][0].id, "What is shock?", ())
        assert "edits" not in str(app.chat.prompt.border_title)
        await pilot.press("alt+up", "alt+up", "left_square_bracket")
        await until(pilot, lambda: "What is sepsis?" in screen_text(app))
        assert "What is shock?" not in screen_text(app)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "What is shock?" in screen_text(app))


async def test_emptied_prompt_edits_no_more_and_a_stopped_one_edits_on() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app, "What is sepsis?")
        await ended(pilot, app)
        first = app.fake.asked[0][0]
        await pilot.press("alt+up", "e")
        await until(pilot, lambda: app.chat.asking.edits == first.id)
        assert app.chat.draft().edits == first.id
        app.fake.load_steps = (0.1, Gate("never"))
        app.fake.unload("gone")
        await until(pilot, lambda: not app.chat.standing.ready)
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.standing.loading)
        await pilot.press("escape")
        await until(pilot, lambda: app.chat.prompt.text == "What is sepsis?")
        assert app.chat.asking.edits == first.id
        app.chat.prompt.fill("")
        await until(pilot, lambda: app.chat.asking.edits is None)


# --- errors -----------------------------------------------------------------------------------------------


async def test_engine_that_dies_is_a_card_and_the_chat_goes_on() -> None:
    app = FakeApp()
    app.fake.script(Say("void "), Crash(), Say("again."))
    app.fake.script(Say("part"), Fail(EngineError("the engine died", fix="ask again")))
    async with app.run_test(size=(100, 50)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        assert (await ended(pilot, app)).answer.text == "again."
        assert "Warning: the engine died (SIGKILL)" in screen_text(app)
        await ask(pilot, app)
        assert (await ended(pilot, app, 2)).answer.text == "part"
        await until(pilot, lambda: "What to do: ask again" in screen_text(app))
        assert "Failed. The model is not shown it" in screen_text(app)
        await ask(pilot, app)
        assert (await ended(pilot, app, 3)).answer.text == "An answer."


async def test_model_that_cannot_be_used_is_a_card() -> None:
    app = FakeApp()
    damage = CorruptError("the file is damaged", where="model.gguf", fix="install it again")
    app.fake.cannot_load = lambda model: damage
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Error: the file is damaged" in screen_text(app))
        assert "What to do: install it again" in screen_text(app)
        assert "no model" in screen_text(app)


async def test_no_model_at_all_is_a_card_and_the_draft_returns() -> None:
    app = FakeApp(problem=CorruptError("no model is installed", fix="install one"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Error: no model is installed" in screen_text(app))
        await ask(pilot, app, "Anyone?")
        await until(pilot, lambda: app.chat.prompt.text == "Anyone?")
        assert not app.fake.asked


async def test_answer_cut_at_the_limit_is_marked() -> None:
    app = FakeApp()
    app.fake.script(Say("And so on"), End(TurnState.CUT))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        assert "Cut at the token limit." in screen_text(app)


# --- reading while it writes ------------------------------------------------------------------------------


async def test_scrolling_up_releases_the_end_and_a_marker_says_that_there_is_more() -> None:
    app = FakeApp()
    app.fake.script(Say("line\n" * 60), Gate("more"), Say("the end"), Gate("last"))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        scroll = app.chat.transcript.scroll_part
        await until(pilot, lambda: scroll.max_scroll_y > 40 and scroll.scroll_y == scroll.max_scroll_y)
        assert "new text below" not in screen_text(app)
        await pilot.press("pageup")
        await until(pilot, lambda: not scroll.following)
        at = scroll.scroll_y
        app.fake.release("more")
        await until(pilot, lambda: "new text below" in screen_text(app))
        assert scroll.scroll_y == at
        assert app.focused is app.chat.prompt
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "the end" in screen_text(app) and "new text below" not in screen_text(app))
        app.fake.release("last")
        await ended(pilot, app)
