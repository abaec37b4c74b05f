"""The transcript over a scripted session: variants, long chats, reading while it writes, going on where it stopped."""

import pytest
from textual.pilot import Pilot

from medlora_edge.errors import EngineError
from medlora_edge.history import TurnState
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.chat.window import MOST, WINDOW
from medlora_edge.tui.session.events import Ended, Said
from medlora_edge.tui.widgets.transcript import MORE
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Crash, End, Gate, Hang, Say
from tests.tui.turns import answered, turn

pytestmark = pytest.mark.asyncio
LONG = "\n\n".join(f"Paragraph {number}." for number in range(40))


async def shown(pilot: Pilot[None], app: FakeApp, words: str) -> None:
    await until(pilot, lambda: words in screen_text(app), words)


# --- variants ---------------------------------------------------------------------------------------------


async def test_brackets_walk_the_variants_and_the_shown_one_is_the_context() -> None:
    app = FakeApp()
    for words in ("One.", "Two.", "Three."):
        app.fake.script(Say(words))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("alt+up", "r")
        await shown(pilot, app, "Two.")
        await ended(pilot, app)
        assert "Answer 2 of 2" in screen_text(app)
        await pilot.press("alt+up", "left_square_bracket")
        await shown(pilot, app, "One.")
        assert "Answer 1 of 2" in screen_text(app)
        assert "Two." not in screen_text(app)
        assert app.focused is app.chat.transcript.turns()[0]
        await until(pilot, lambda: app.chat.desk.shown == app.chat.transcript.shown)
        await ask_from_anywhere(pilot, app, "And then?")
        await shown(pilot, app, "Three.")
        assert [one.answer for one in app.fake.asked[2][1]] == ["One."]


async def test_variant_that_is_being_written_goes_on_out_of_view() -> None:
    app = FakeApp()
    app.fake.script(Say("One."))
    app.fake.script(Say("Two "), Gate("more"), Say("and more."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("alt+up", "r")
        await shown(pilot, app, "Two")
        await pilot.press("alt+up", "left_square_bracket")
        await shown(pilot, app, "One.")
        app.fake.release("more")
        await until(pilot, lambda: not app.chat.busy)
        await pilot.press("right_square_bracket")
        await shown(pilot, app, "Two and more.")
        await shown(pilot, app, "10.0 tok/s")


# --- going on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [End(TurnState.CUT), Hang()], ids=["cut", "stopped"])
async def test_stopped_or_cut_answer_is_written_on_and_stored_as_one_text(end: End | Hang) -> None:
    app = FakeApp()
    app.fake.script(Say("Half an "), end)
    app.fake.script(Say("answer."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await shown(pilot, app, "Half an")
        if isinstance(end, Hang):
            await pilot.press("escape")
        await ended(pilot, app)
        await pilot.press("alt+up", "o")
        await shown(pilot, app, "Half an answer.")
        await ended(pilot, app)
        await until(pilot, lambda: [one.state for one in app.keeper.turns()][-1] is TurnState.DONE)
        assert [one.answer for one in app.keeper.turns()] == ["Half an ", "Half an answer."]
        assert app.chat.transcript.last == app.keeper.turns()[-1]


async def test_going_on_survives_the_engine() -> None:
    app = FakeApp()
    app.fake.script(Say("Half an "), End(TurnState.CUT))
    app.fake.script(Say("void"), Crash(), Say("answer."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("alt+up", "o")
        await shown(pilot, app, "Half an answer.")
        await until(pilot, lambda: [one.answer for one in app.keeper.turns()][-1] == "Half an answer.")


async def test_whole_answer_offers_nothing_to_go_on_with() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await pilot.press("alt+up", "o")
        await pilot.pause()
        assert len(app.fake.asked) == 1
        assert "Go on" not in screen_text(app)


# --- reading while it writes --------------------------------------------------------------------------------


async def test_follows_only_at_the_end_marks_what_is_below_and_end_follows_again() -> None:
    app = FakeApp()
    app.fake.script(Say(LONG), Gate("more"), Say("\n\nMore."), Gate("last"), Say("\n\nLast."))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await shown(pilot, app, "Paragraph 39.")
        await pilot.press("pageup")
        await until(pilot, lambda: not app.chat.transcript.scroll_part.following)
        at = app.chat.transcript.scroll_part.scroll_y
        app.fake.release("more")
        await shown(pilot, app, MORE)
        assert app.chat.transcript.scroll_part.scroll_y == at
        assert app.focused is app.chat.prompt
        await pilot.press("end")
        await shown(pilot, app, "More.")
        await until(pilot, lambda: MORE not in screen_text(app))
        app.fake.release("last")
        await shown(pilot, app, "Last.")


async def test_retry_of_the_last_question_is_followed_and_one_further_up_comes_into_view() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        transcript = app.chat.transcript
        transcript.open([answered(number, f"Question {number}?", answer=LONG) for number in range(1, 4)])
        transcript.begin(turn(10, "Question 3?", retry_of=3))
        transcript.hear(Said(10, f"{LONG}\n\nThe end.", 1))
        await shown(pilot, app, "The end.")
        transcript.begin(turn(11, "Question 1?", retry_of=1))
        await shown(pilot, app, "Question 1?")
        assert not transcript.scroll_part.following


# --- long chats -------------------------------------------------------------------------------------------


async def test_long_chat_mounts_a_window_and_more_of_it_when_scrolled() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        transcript = app.chat.transcript
        transcript.open([answered(number, f"Question {number}?") for number in range(1, 301)])
        await shown(pilot, app, "Question 300?")
        assert len(transcript.turns()) == WINDOW
        for _ in range(400):
            await pilot.press("pageup")
            assert len(transcript.turns()) <= MOST
            if "Question 1?" in screen_text(app):
                break
        await shown(pilot, app, "Question 1?")
        await pilot.press("ctrl+end")
        await shown(pilot, app, "Question 300?")
        await pilot.press("ctrl+home")
        await shown(pilot, app, "Question 1?")
        assert transcript.turns()[0].turn.id == 1


async def test_kept_chat_opens_at_the_turn_that_was_found_whichever_variant_it_is() -> None:
    app = FakeApp()
    turns = [answered(number, f"Question {number}?") for number in range(1, 101)]
    turns.append(answered(101, "Question 50?", answer="Another answer.", retry_of=50))
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.chat.transcript.open(turns, 50)
        await shown(pilot, app, "Question 50?")
        assert "Answer 1 of 2" in screen_text(app)
        assert "Question 100?" not in screen_text(app)


async def test_turn_begun_far_from_the_end_brings_the_end_into_view() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.chat.transcript.open([answered(number, f"Question {number}?") for number in range(1, 101)], 10)
        await shown(pilot, app, "Question 10?")
        app.chat.transcript.begin(turn(500, "The newest?"))
        app.chat.transcript.hear(Said(500, "Its answer", 1))
        await shown(pilot, app, "Its answer")
        assert len(app.chat.transcript.turns()) <= MOST


async def test_kept_turns_show_verdict_mark_and_figures() -> None:
    app = FakeApp()
    verdict = answered(1, name="pubmedqa", answer="yes.", label="yes", label_probs={"yes": 0.9, "no": 0.1})
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        app.chat.transcript.open([verdict, turn(2, answer="Half", state=TurnState.CUT)])
        await shown(pilot, app, "\u2714 yes")
        await shown(pilot, app, "90.0%")
        await shown(pilot, app, "Cut at the token limit.")


# --- cards ------------------------------------------------------------------------------------------------


async def test_cards_stay_where_they_stood_when_the_window_moves() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        transcript = app.chat.transcript
        transcript.open(())
        transcript.add(Note("note", "Before the first turn."))
        for number in range(1, 101):
            transcript.begin(answered(number, f"Question {number}?"))
            if number == 50:
                transcript.add(Note("warning", "Behind the fiftieth."))
        transcript.add(Note("error", "Behind the last.", fix="nothing"))
        await shown(pilot, app, "Behind the last.")
        await pilot.press("ctrl+home")
        await shown(pilot, app, "Before the first turn.")
        order = [type(child).__name__ for child in transcript.scroll_part.children]
        assert order[:2] == ["Aside", "TurnView"]
        await pilot.press("ctrl+end")
        await shown(pilot, app, "Behind the last.")
        for _ in range(400):
            await pilot.press("pageup")
            if "Behind the fiftieth." in screen_text(app):
                break
        await shown(pilot, app, "Behind the fiftieth.")
        await pilot.press("ctrl+home", "ctrl+end")
        await shown(pilot, app, "Behind the last.")
        assert screen_text(app).count("Behind the last.") == 1


async def test_card_that_comes_while_the_end_is_not_mounted_is_marked_and_found_there() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        transcript = app.chat.transcript
        transcript.open([answered(number, f"Question {number}?") for number in range(1, 101)], 10)
        await shown(pilot, app, "Question 10?")
        transcript.add(Note("error", "The model is gone."))
        await shown(pilot, app, MORE)
        assert "The model is gone." not in screen_text(app)
        await pilot.press("end")
        await shown(pilot, app, "The model is gone.")


@pytest.mark.parametrize("mounted", [False, True])
async def test_failure_is_told_once_whenever_it_comes(mounted: bool) -> None:
    app = FakeApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await ready(pilot, app)
        transcript = app.chat.transcript
        transcript.begin(turn(1))
        if mounted:
            await until(pilot, lambda: transcript.turns()[0].is_mounted)
        transcript.hear(Ended(1, TurnState.FAILED, "", error=EngineError("it died")))
        await shown(pilot, app, "Error: it died")
        await pilot.pause()
        assert screen_text(app).count("it died") == 1
        assert screen_text(app).count("Failed.") == 1
        await pilot.press("ctrl+home", "ctrl+end")
        await shown(pilot, app, "Error: it died")
        assert screen_text(app).count("it died") == 1


async def ask_from_anywhere(pilot: Pilot[None], app: FakeApp, text: str) -> None:
    app.chat.prompt.focus()
    await ask(pilot, app, text)
