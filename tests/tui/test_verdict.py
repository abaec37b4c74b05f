"""The verdict: the label that is clearly the likeliest, none rather than a guess, and what the text makes of it."""

import math

import pytest

from medlora_edge.engine.protocol import Scored, Timings
from medlora_edge.history import TurnState
from medlora_edge.tasks import NEAR_TIE_NATS
from medlora_edge.tui.session.verdict import contradiction, label_probs, likeliest
from tests.tui.turns import answered, turn


@pytest.mark.parametrize(
    ("probs", "expected"),
    [
        ({"yes": 0.2, "no": 0.5, "maybe": 0.3}, "no"),
        ({"A": 1.0, "B": 0.0, "C": 0.0}, "A"),
        ({"yes": 1 / 3, "no": 1 / 3, "maybe": 1 / 3}, None),
        ({"yes": 0.4, "no": 0.4 * math.exp(-1.1 * NEAR_TIE_NATS), "maybe": 0.1}, "yes"),
        ({"yes": 0.4, "no": 0.4 * math.exp(-0.9 * NEAR_TIE_NATS), "maybe": 0.1}, None),
        ({}, None),
    ],
)
def test_likeliest(probs: dict[str, float], expected: str | None) -> None:
    assert likeliest(probs) == expected


@pytest.mark.parametrize(
    ("label", "answer", "says"),
    [
        ("yes", "yes. The drug lowered mortality.", ""),
        ("yes", "yes. No patient died.", ""),
        ("yes", "yes. It did not help, so the answer is no.", "does not stay with it"),
        ("yes", "No. It did not.", "says no"),
        ("maybe", "\ufffd\u0000 %$", "does not stay with it"),
        (None, "Not sure.", ""),
        (None, "Yes, it did.", "Asked again"),
    ],
)
def test_text_beside_the_verdict(label: str | None, answer: str, says: str) -> None:
    found = contradiction(answered(1, name="pubmedqa", answer=answer, label=label))
    assert says in found
    assert bool(says) == bool(found)


def test_options_are_spoken_of_by_their_letter() -> None:
    asked = answered(1, name="multiple_choice", label="A")
    assert contradiction(answered(1, name="multiple_choice", answer="(A) Aspirin", label="A")) == ""
    assert "(A)" in contradiction(answered(1, name="multiple_choice", answer="(A) Heparin", label="A"))
    assert "says (B)" in contradiction(answered(1, name="multiple_choice", answer="(B) Heparin", label=asked.label))


def test_open_question_and_unfinished_text_contradict_nothing() -> None:
    assert contradiction(answered(1, answer="yes. Always.")) == ""
    assert contradiction(turn(1, name="pubmedqa", answer="no.", label="yes", state=TurnState.STOPPED)) == ""


def scored(**logprobs: float) -> Scored:
    return Scored(
        id=1,
        logprobs=logprobs,
        first_logprobs=logprobs,
        top_token=0,
        top_logprob=0,
        probability_sum=1,
        prompt_sha256="",
        timings=Timings(),
    )


def test_probabilities_are_the_labels_share() -> None:
    probs = label_probs(scored(yes=-1.0, no=-1.0 - math.log(3), maybe=-1000.0))
    assert probs == pytest.approx({"yes": 0.75, "no": 0.25, "maybe": 0.0})


@pytest.mark.parametrize("broken", [math.nan, -math.inf])
def test_broken_scores_are_no_probabilities(broken: float) -> None:
    assert label_probs(scored(yes=-1.0, no=broken)) == {}
