"""Answers to held-out questions: token F1 as SQuAD counts it, over questions that were really held out."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_tools.data.build import build
from build_tools.data.documents import Exchange
from build_tools.data.sources import read
from build_tools.pipeline.answers import answers_gate, held_out_questions, token_f1
from build_tools.recipe.schema import AnswersGate
from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import UsageError
from tests.build_tools.data.makers import chat_stage, write_lines


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("the heart pumps blood", "The heart pumps blood.", 1.0),
        ("heart", "the heart pumps blood", 0.4),
        ("blood blood blood", "blood", 0.5),
        ("lungs", "heart", 0.0),
        ("", "heart", 0.0),
        ("", "", 1.0),
    ],
)
def test_words_in_common_are_counted_as_often_as_both_have_them(answer: str, reference: str, score: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(score)


@given(st.text(), st.text())
def test_it_is_symmetric_and_within_bounds(one: str, other: str) -> None:
    assert 0 <= token_f1(one, other) == token_f1(other, one) <= 1


def test_questions_come_from_the_held_out_rows_alone(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(100)])
    stage = chat_stage({"format": "question_answer", "file": "qa.jsonl", "held_out": 0.3})
    rows, _ = build(stage, scratch_base, tmp_path, seed=0)
    held_out = {id_ for row in rows.held_out for id_ in row.ids}
    found = held_out_questions(stage, tmp_path, rows.held_out, 10)
    assert len(found) == 10
    assert {one.id for one in found} <= held_out
    assert len(held_out_questions(stage, tmp_path, rows.held_out, 1000)) == len(held_out)
    with pytest.raises(UsageError, match="no open question is held out"):
        held_out_questions(stage, tmp_path, (), 10)


def test_both_models_are_asked_in_the_engine_and_the_report_has_both_scores(tiny_gguf: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(3)])
    data = chat_stage({"format": "question_answer", "file": "qa.jsonl"}).data[0]
    questions = [entry for entry in read(data, tmp_path) if isinstance(entry, Exchange)]
    questions[1] = replace(questions[1], messages=(Message(role=Role.USER, content="Why? " * 700),))
    gate = AnswersGate(questions=3, longest=4)
    report, facts = answers_gate(tiny_gguf, tiny_gguf, questions, gate, tmp_path / "log")
    (measure,) = report.measures
    assert facts["token_f1"] == facts["token_f1_untuned"] == measure.value == measure.limit
    assert report.passed
    assert facts["questions"] == 3
