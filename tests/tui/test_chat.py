"""The chat screen over a scripted session: everything a user does, and everything that may go wrong meanwhile."""

import pytest
from textual import events

from medlora_edge.errors import CorruptError, EngineError
from medlora_edge.history import TurnState
from medlora_edge.notice import NOTICE
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.widgets.prompt import LONGEST_PASTE, Abstract
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Crash, End, Fail, Gate, Hang, Label, Read, Say
from tests.tui.turns import ABSTRACT

pytestmark = pytest.mark.asyncio


# --- the chat ---------------------------------------------------------------------------------------------


async def test_opens_a_chat_that_says_it_is_not_saved_and_what_it_is_for() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        shown = screen_text(app)
        assert NOTICE in shown
        assert "not saved \u00b7 starter \u00b7 ready" in shown
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
        await until(pilot, lambda: "prompt 120 tokens (20 known) in 1.0 s" in screen_text(app))
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
    async with app.run_test() as pilot:
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


# --- question modes ---------------------------------------------------------------------------------------


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
