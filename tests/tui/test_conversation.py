"""Which turns the model is shown, in which order, and as which prompt."""

import pytest

from medlora_edge.engine import Role
from medlora_edge.errors import UsageError
from medlora_edge.history.records import TaskName, TurnState
from medlora_edge.tasks import Question, task
from medlora_edge.tui.session.conversation import (
    goes_on_from,
    in_context,
    messages,
    sampling,
    title,
    typed_so_far,
)
from tests.tui.turns import ABSTRACT, answered, question, turn


def numbers(turns: object) -> list[int]:
    return [one.id for one in turns]  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", [state for state in TurnState if state is not TurnState.DONE])
def test_only_whole_answers_are_in_the_context(state: TurnState) -> None:
    turns = [answered(1), turn(2, state=state, answer="An infec"), answered(3)]
    assert numbers(in_context(turns)) == [1, 3]


def test_an_empty_answer_is_not_in_the_context() -> None:
    assert in_context([answered(1, answer=" \n")]) == ()


def test_a_retry_takes_the_place_of_what_it_asks_again() -> None:
    turns = [answered(1), answered(2), answered(3, retry_of=1), answered(4, retry_of=3)]
    assert numbers(in_context(turns)) == [4, 2]


def test_a_retry_without_a_whole_answer_leaves_the_one_before() -> None:
    turns = [answered(1), answered(2), turn(3, retry_of=2, state=TurnState.STOPPED, answer="An")]
    assert numbers(in_context(turns)) == [1, 2]


def test_the_shown_variant_is_the_context_where_it_is_whole() -> None:
    stopped = turn(4, retry_of=1, state=TurnState.STOPPED, answer="An")
    turns = [answered(1), answered(2), answered(3, retry_of=1), stopped]
    assert numbers(in_context(turns, shown={1, 2})) == [1, 2]
    assert numbers(in_context(turns, shown={3, 2})) == [3, 2]
    assert numbers(in_context(turns, shown={4, 2})) == [3, 2]


def test_an_edited_question_is_not_in_the_context_with_the_answer_to_what_it_was() -> None:
    stopped = turn(3, "And now?", retry_of=1, state=TurnState.STOPPED, answer="An")
    turns = [answered(1), answered(2), stopped]
    assert numbers(in_context(turns, shown={3, 2})) == [2]
    assert numbers(in_context(turns, shown={1, 2})) == [1, 2]


def test_a_retry_sees_what_was_asked_before_the_first_attempt() -> None:
    turns = [answered(1), answered(2), answered(3), answered(4, retry_of=2), turn(5, retry_of=4)]
    assert numbers(in_context(turns, before=5)) == [1]
    assert numbers(in_context(turns, before=2)) == [1]
    assert numbers(in_context(turns, before=3)) == [1, 4]


def test_a_retry_of_a_deleted_turn_stands_for_itself() -> None:
    assert numbers(in_context([answered(5, retry_of=2), answered(6)])) == [5, 6]


def test_an_open_question_goes_on_from_the_turns_before() -> None:
    earlier = [answered(1, "What is sepsis?", "An infection."), answered(2, "Does it help?", "yes.", name="pubmedqa")]
    chat = messages("ask", question("And in children?"), earlier)
    assert [message.role for message in chat] == [
        Role.SYSTEM,
        *[Role.USER, Role.ASSISTANT] * 2,
        Role.USER,
    ]
    assert chat[0] == task("ask").messages(question("x"))[0]
    assert [message.content for message in chat[1:3]] == ["What is sepsis?", "An infection."]
    assert ABSTRACT in chat[3].content
    assert chat[-1].content == "And in children?"


@pytest.mark.parametrize("name", ["pubmedqa", "multiple_choice"])
def test_other_questions_stand_alone_byte_for_byte_as_the_benchmark_asks_them(name: TaskName) -> None:
    asked = question("Does it help?", name)
    assert messages(name, asked, [answered(1)]) == task(name).messages(asked)


def test_pasted_abstract_is_computed_before_the_question_is_typed() -> None:
    ahead = typed_so_far("pubmedqa", question("", "pubmedqa"), ())
    sent = messages("pubmedqa", question("Does it help?", "pubmedqa"), ())
    assert ahead[-1].content.endswith(f"{ABSTRACT} Question: ")
    assert goes_on_from(sent, ahead)


@pytest.mark.parametrize("name", ["ask", "pubmedqa"])
def test_what_is_typed_begins_what_is_sent(name: TaskName) -> None:
    ahead = typed_so_far(name, question("Does it", name), ())
    assert goes_on_from(messages(name, question("Does it help?", name), ()), ahead)


def test_nothing_typed_is_nothing_to_compute() -> None:
    with pytest.raises(UsageError):
        typed_so_far("ask", Question("q", "  "), ())


def test_another_chat_or_changed_words_do_not_go_on() -> None:
    first = messages("ask", question("Does it help?"), ())
    assert goes_on_from(first, first)
    assert not goes_on_from(messages("ask", question("Does it hurt?"), ()), first)
    assert not goes_on_from(messages("ask", question("Does it help?"), [answered(1)]), first)
    assert not goes_on_from((), first)


def test_a_retry_has_another_seed_and_the_same_turn_the_same() -> None:
    assert sampling(turn(1)) == sampling(turn(1))
    assert sampling(turn(1)).seed != sampling(turn(2)).seed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is sepsis?", "What is sepsis?"),
        ("  two\n\n lines ", "two lines"),
        ("\x1b]0;evil\x07 words", "]0;evil words"),
        ("word " * 40, "word word word word word word word word word word word word\u2026"),
    ],
)
def test_title_is_one_short_clean_line(text: str, expected: str) -> None:
    assert title(Question("q", text)) == expected
    assert len(expected) <= 60
