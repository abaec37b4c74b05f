"""Chats and turns: kept as given, in the order of use whatever the clock says, safe from any thread."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import UsageError
from medlora_edge.history import Setting, Store, TurnState, private, rows
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question
from tests.history.support import SHA, asked, begin, keep, reopen

TIMINGS = Timings(prompt_tokens=7, generated_tokens=3, total_seconds=0.5)


def test_a_new_chat_is_empty(store: Store) -> None:
    chat = store.new_chat("starter", SHA)
    assert (chat.title, chat.model, chat.model_sha256, chat.turns) == ("", "starter", SHA, 0)
    assert store.chat(chat.id) == chat
    assert store.chats() == (chat,)


def test_a_turn_is_kept_before_anything_is_computed(store: Store) -> None:
    chat = store.new_chat("starter", SHA)
    question = Question("7", "Which?", ("One.", "Two."), MappingProxyType({"A": "left", "B": "right"}))
    settings: dict[str, Setting] = {"Temperature": 0.2, "Context tokens": 4096, "Adapter": "none"}
    turn = store.begin(
        chat.id,
        "multiple_choice",
        question,
        model_sha256=SHA,
        prompts_sha256="1" * 64,
        model="medical",
        settings=settings,
    )
    assert turn.state is TurnState.WAITING
    assert (turn.model, turn.settings) == ("medical", settings)
    assert turn.question == Question("7", "Which?", ("One.", "Two."), {"A": "left", "B": "right"})
    assert store.turns(chat.id) == (turn,)
    assert (store.chat(chat.id).turns, store.chat(chat.id).tasks) == (1, ("multiple_choice",))


def test_questions_of_all_chats_in_the_order_asked_and_what_is_asked_again_once(store: Store) -> None:
    one, other = (store.new_chat("starter", SHA).id for _ in range(2))
    first = begin(store, one, "First?")
    begin(store, other, "Second?")
    store.begin(one, "ask", first.question, model_sha256=SHA, prompts_sha256=SHA, retry_of=first.id)
    begin(store, one, "Third?")
    assert [question.question for question in store.questions(9)] == ["First?", "Second?", "Third?"]
    assert [question.question for question in store.questions(2)] == ["Second?", "Third?"]
    edited = replace(first.question, question="Edited?")
    store.begin(one, "ask", edited, model_sha256=SHA, prompts_sha256=SHA, retry_of=first.id)
    assert [question.question for question in store.questions(2)] == ["Third?", "Edited?"]


def test_an_answer_grows_and_ends(store: Store) -> None:
    turn = begin(store, store.new_chat("starter", SHA).id)
    store.save_answer(turn.id, "ye")
    assert store.turns(turn.chat)[0].state is TurnState.ANSWERING
    store.end(turn.id, TurnState.DONE, "yes.", label="yes", label_probs={"yes": 0.75, "no": 0.25}, timings=TIMINGS)
    (ended,) = store.turns(turn.chat)
    assert (ended.answer, ended.state, ended.label) == ("yes.", TurnState.DONE, "yes")
    assert (ended.label_probs, ended.timings) == ({"yes": 0.75, "no": 0.25}, TIMINGS)


def test_a_verdict_is_kept_before_its_answer_and_not_after_the_end(store: Store) -> None:
    turn = begin(store, store.new_chat("starter", SHA).id)
    store.save_verdict(turn.id, "yes", {"yes": 0.75, "no": 0.25})
    kept = store.turns(turn.chat)[0]
    assert (kept.label, kept.label_probs, kept.state) == ("yes", {"yes": 0.75, "no": 0.25}, TurnState.WAITING)
    store.end(turn.id, TurnState.DONE, "yes.", label="yes")
    store.save_verdict(turn.id, "no", {})
    assert store.turns(turn.chat)[0].label == "yes"


def test_a_question_takes_its_draft_away_at_one_stroke(store: Store) -> None:
    chat = store.new_chat("starter", SHA).id
    store.save_draft("First? And more")
    store.begin(chat, "ask", asked("First?"), model_sha256=SHA, prompts_sha256=SHA, draft="And more")
    assert store.draft() == "And more"
    begin(store, chat, "Second?")
    assert store.draft() == "And more"


def test_a_late_save_does_not_open_an_ended_turn_again(store: Store) -> None:
    turn = begin(store, store.new_chat("starter", SHA).id)
    store.end(turn.id, TurnState.STOPPED, "whole")
    store.save_answer(turn.id, "late")
    assert (store.turns(turn.chat)[0].answer, store.turns(turn.chat)[0].state) == ("whole", TurnState.STOPPED)


def test_a_deleted_turn_does_not_come_back(store: Store) -> None:
    turn = begin(store, store.new_chat("starter", SHA).id)
    store.delete(turn.chat)
    store.save_answer(turn.id, "late")
    store.end(turn.id, TurnState.DONE, "late")
    assert store.chats() == ()
    assert store.search("late") == ()


def test_a_retry_points_to_what_it_asks_again(store: Store) -> None:
    first = begin(store, store.new_chat("starter", SHA).id)
    again = store.begin(first.chat, "ask", first.question, model_sha256=SHA, prompts_sha256=SHA, retry_of=first.id)
    assert store.turns(first.chat) == (first, again)
    assert again.retry_of == first.id


def test_ids_are_never_given_twice(store: Store) -> None:
    turn = begin(store, store.new_chat("starter", SHA).id)
    store.delete(turn.chat)
    again = begin(store, store.new_chat("starter", SHA).id)
    assert again.id > turn.id
    assert again.chat > turn.chat


def test_a_chat_that_is_not_there_is_named(store: Store) -> None:
    for call in (store.chat, lambda chat: store.rename(chat, "x"), lambda chat: begin(store, chat)):
        with pytest.raises(UsageError, match="no chat 5"):
            call(5)
    assert store.turns(5) == ()
    store.delete(5)


def test_order_is_of_use_even_when_the_clock_is_set_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    years = iter(range(2030, 1970, -1))
    monkeypatch.setattr(rows, "now", lambda: datetime(next(years), 1, 1, tzinfo=UTC).isoformat())
    first, second = store.new_chat("starter", SHA), store.new_chat("starter", SHA)
    turns = [begin(store, first.id, f"question {number}") for number in range(3)]
    assert [chat.id for chat in store.chats()] == [first.id, second.id]
    assert store.turns(first.id) == tuple(turns)
    assert [hit.turn for hit in store.search("question")] == [turn.id for turn in reversed(turns)]


def test_the_draft_is_one_and_kept(folder: Path) -> None:
    store, _ = keep(folder)
    assert store.draft() == ""
    store.save_draft("first")
    store.save_draft("half a\nquestion \udc80")
    store.close()
    with reopen(folder) as again:
        assert again.draft() == "half a\nquestion ?"


def test_private_chats_go_along_when_chats_begin_to_be_kept(folder: Path) -> None:
    with private() as before:
        before.rename(before.new_chat("starter", SHA).id, "title")
        before.delete(before.new_chat("starter", SHA).id)
        turn = begin(before, 1, "a private question")
        before.save_answer(turn.id, "half an ans")
        before.save_draft("next")
        kept, _ = keep(folder, keep=before)
        assert kept.chats() == before.chats()
        assert kept.turns(1) == before.turns(1)
        assert [hit.turn for hit in kept.search("private question")] == [turn.id]
        assert kept.draft() == "next"
    kept.save_answer(turn.id, "half an answer")
    assert kept.turns(1)[0].state is TurnState.ANSWERING, "an answer under way goes on"
    kept.close()


def test_closed_chats_are_locked(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(UsageError, match="locked"):
        store.chats()


def test_threads_do_not_disturb_each_other(store: Store) -> None:
    chats = [store.new_chat("starter", SHA).id for _ in range(4)]

    def work(chat: int) -> None:
        for number in range(10):
            turn = begin(store, chat, f"question {number}")
            store.save_answer(turn.id, "half")
            store.search("question half")
            store.end(turn.id, TurnState.DONE, f"answer {number} of {chat}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, chats))
    for chat in chats:
        assert [turn.answer for turn in store.turns(chat)] == [f"answer {number} of {chat}" for number in range(10)]


SHARED = private()
ANY_TEXT = st.text(st.characters(), max_size=300)


@given(title=ANY_TEXT)
def test_any_title_is_one_clean_line(title: str) -> None:
    chat = SHARED.new_chat("starter", SHA).id
    SHARED.rename(chat, title)
    kept = SHARED.chat(chat).title
    assert kept == clean(kept)
    assert len(kept) <= 200
    assert kept.splitlines() in ([], [kept])
    assert kept.split() == " ".join(clean(title).split())[:200].split()


@given(text=st.text(st.characters(exclude_categories=["Cs"])), answer=st.text(st.characters()))
def test_any_text_comes_back_as_it_was(text: str, answer: str) -> None:
    chat = SHARED.new_chat("starter", SHA).id
    question = Question(text, text, (text, ""), {"A": text})
    turn = SHARED.begin(chat, "ask", question, model_sha256=SHA, prompts_sha256=SHA)
    SHARED.end(turn.id, TurnState.DONE, answer)
    (kept,) = SHARED.turns(chat)
    assert kept.question == question
    assert kept.answer == answer.encode("utf-8", "replace").decode()
