"""The prompts' bytes are those that the paper's table fixes."""

import json

import pytest

from medlora_edge.engine.protocol import Role
from medlora_edge.errors import UsageError
from medlora_edge.tasks import Question, prompts_sha256, task
from medlora_edge.tasks.prompts import prompt
from tests.tasks.shared import SPECS

FIXED = SPECS / "medilora_prompts.json"
OPTIONS = {"A": "Aspirin {now}", "B": "Rest", "C": "Heparin", "D": "Surgery"}


@pytest.mark.skipif(not FIXED.exists(), reason="the fixed prompts lie beside the checkout")
def test_system_texts_are_the_papers() -> None:
    fixed = json.loads(FIXED.read_text())
    assert prompt("pubmedqa")["system"] == fixed["system"]["pubmedqa"]
    assert prompt("multiple_choice")["system"] == fixed["system"]["medqa"]
    assert prompt("pubmedqa")["source"] == prompt("multiple_choice")["source"] == fixed["source"]


def test_pubmedqa_user_turn() -> None:
    question = Question("1", "Does {it} help?", ("First part.", "Second part."))
    system, user = task("pubmedqa").messages(question)
    assert (system.role, user.role) == (Role.SYSTEM, Role.USER)
    assert user.content == "Context: First part. Second part. Question: Does {it} help?"


@pytest.mark.parametrize(("letters", "last"), [("ABCD", "from A to D."), ("ABCDE", "from A to E.")])
def test_multiple_choice_turns(letters: str, last: str) -> None:
    question = Question("1", "Which drug?", options={letter: f"drug {letter}" for letter in letters})
    system, user = task("multiple_choice").messages(question)
    assert last in system.content
    assert user.content == "Which drug?\n" + "\n".join(f"({letter}) drug {letter}" for letter in letters)


def test_braces_in_an_option_are_text() -> None:
    _, user = task("multiple_choice").messages(Question("1", "Q {x}", options=OPTIONS))
    assert user.content.startswith("Q {x}\n(A) Aspirin {now}\n")


def test_ask_with_and_without_context() -> None:
    assert task("ask").messages(Question("1", "Why?"))[1].content == "Why?"
    with_context = task("ask").messages(Question("1", "Why?", ("Because.", "Really.")))
    assert with_context[1].content == "Context: Because.\n\nReally.\n\nQuestion: Why?"


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("ask", Question("1", " ")),
        ("pubmedqa", Question("1", "Does it?")),
        ("pubmedqa", Question("1", "Does it?", ("", " "))),
        ("pubmedqa", Question("1", "", ("context",))),
        ("multiple_choice", Question("1", "Which?")),
        ("multiple_choice", Question("1", "Which?", options={"A": "only"})),
        ("multiple_choice", Question("1", "Which?", options={"B": "two", "A": "one"})),
        ("multiple_choice", Question("1", "", options=OPTIONS)),
    ],
)
def test_an_incomplete_question_is_refused(name: str, question: Question) -> None:
    with pytest.raises(UsageError):
        task(name).messages(question)


def test_hashes_tell_the_tasks_apart() -> None:
    hashes = {prompts_sha256(name) for name in ("ask", "pubmedqa", "multiple_choice")}
    assert len(hashes) == 3
    assert all(len(value) == 64 for value in hashes)


def test_an_unknown_task_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown task"):
        task("medqa")
