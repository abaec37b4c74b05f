"""Targets, candidates, grammars, early stopping and the strict reader agree with each other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.errors import UsageError
from medlora_edge.tasks import Question, task

ABSTRACT = Question("1", "Does it help?", ("A trial.",))
FIVE = Question("2", "Which?", options={"A": "one", "B": "two", "C": "three", "D": "four", "E": "five"})
FOUR = Question("3", "Which?", options={"A": "one", "B": "two", "C": "three", "D": "four"})
BOTH = [("pubmedqa", ABSTRACT), ("multiple_choice", FIVE), ("multiple_choice", FOUR)]

near_answers = st.builds(
    "".join,
    st.lists(
        st.sampled_from(["yes", "No", "MAYBE", "(A)", "(E)", "(a)", "A)", " ", "\n", "\u2003", "t", ".", "x"]),
        max_size=6,
    ),
)


@pytest.mark.parametrize(
    ("response", "label"),
    [
        ("yes. It helps.", "yes"),
        ("  \n No, it does not", "no"),
        ("MAYBE", "maybe"),
        ("\u2003yes", "yes"),
        ("Not at all", "no"),
        ("yesterday", "yes"),
        ("none", "no"),
        ("The answer is yes", None),
        ("**Yes**", None),
        ("may be", None),
        ("", None),
    ],
)
def test_strict_word(response: str, label: str | None) -> None:
    assert task("pubmedqa").read_strict(response, ABSTRACT) == label


@pytest.mark.parametrize(
    ("response", "label"),
    [
        ("(A) one", "A"),
        (" \t(D)", "D"),
        ("(E)", "E"),
        ("(C)three", "C"),
        ("(F)", None),
        ("(a) one", None),
        ("A", None),
        ("A) one", None),
        ("The answer is (A)", None),
        ("( A)", None),
        ("(A", None),
        ("", None),
    ],
)
def test_strict_letter(response: str, label: str | None) -> None:
    assert task("multiple_choice").read_strict(response, FIVE) == label


def test_a_letter_must_exist() -> None:
    assert task("multiple_choice").read_strict("(E) five", FOUR) is None


@pytest.mark.parametrize(("name", "question"), BOTH)
def test_targets_begin_with_candidates_and_are_read_back(name: str, question: Question) -> None:
    asked = task(name)
    candidates = asked.candidates(question)
    assert tuple(candidates) == asked.labels(question)
    for label, candidate in candidates.items():
        target = asked.target(question, label, "The trial was small.")
        assert target.startswith(candidate)
        assert asked.read_strict(target, question) == label
        assert asked.read_lenient(target, question) == label
        assert f'"{candidate}"' in (asked.grammar(question) or "")


def test_targets_to_the_letter() -> None:
    assert task("pubmedqa").target(ABSTRACT, "yes", "It helps.") == "yes. It helps."
    assert task("pubmedqa").target(ABSTRACT, "no") == "no."
    assert task("multiple_choice").target(FIVE, "B", "because") == "(B) two"
    assert task("ask").target(Question("1", "Why?"), "", "Because.") == "Because."


@pytest.mark.parametrize(("name", "question"), [*BOTH, ("ask", ABSTRACT)])
def test_a_target_for_an_unknown_label_is_refused(name: str, question: Question) -> None:
    with pytest.raises(UsageError):
        task(name).target(question, "F")


def test_grammars() -> None:
    assert task("pubmedqa").grammar(ABSTRACT) == 'root ::= "yes." | "no." | "maybe."'
    assert task("multiple_choice").grammar(FOUR) == 'root ::= "(A)" | "(B)" | "(C)" | "(D)"'


def test_an_open_question_has_no_label() -> None:
    asked = task("ask")
    assert asked.labels(ABSTRACT) == ()
    assert asked.candidates(ABSTRACT) == {}
    assert asked.grammar(ABSTRACT) is None
    assert asked.stop_when(ABSTRACT) is None
    assert asked.read_strict("yes", ABSTRACT) is None
    assert asked.read_lenient("yes", ABSTRACT) is None


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("no", False),
        ("not", False),
        ("no.", True),
        ("No, ", True),
        (" yes\n", True),
        ("yesterday ", False),
        ("so no.", False),
    ],
)
def test_stop_when_waits_for_the_end_of_the_word(text: str, stops: bool) -> None:
    pattern = task("pubmedqa").stop_when(ABSTRACT)
    assert pattern is not None
    assert (re.search(pattern, text) is not None) == stops


@given(text=near_answers)
@pytest.mark.parametrize(("name", "question"), BOTH)
def test_stopping_early_never_changes_the_strict_label(name: str, question: Question, text: str) -> None:
    asked = task(name)
    pattern = asked.stop_when(question)
    assert pattern is not None
    for end in range(len(text) + 1):
        if re.search(pattern, text[:end]):
            stopped = asked.read_strict(text[:end], question)
            assert stopped is not None
            assert stopped == asked.read_strict(text, question)
            return


@given(text=st.one_of(near_answers, st.text()), around=st.text(alphabet=" \t\n\r\u00a0\u2003", max_size=5))
@pytest.mark.parametrize(("name", "question"), BOTH)
def test_white_space_around_does_not_matter(name: str, question: Question, text: str, around: str) -> None:
    asked = task(name)
    label = asked.read_strict(text, question)
    assert label is None or label in asked.labels(question)
    assert asked.read_strict(around + text + around, question) == label


def test_only_plain_letters_stop_an_answer() -> None:
    stop = re.compile(task("pubmedqa").stop_when(ABSTRACT) or "")
    assert stop.match("YES ")
    assert not stop.match("ye\u017f ")
