"""The label of an answer: strict where it is in the trained form, a careful reader's else, none rather than a guess."""

import math

import pytest

from medlora_edge.engine.protocol import Scored, Timings
from medlora_edge.tui.verdict import label, label_probs
from tests.tui.turns import turn


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("yes. The drug lowered mortality.", "yes"),
        ("  No. It did not.", "no"),
        ("Maybe. Yes in adults, no in children.", "maybe"),
        ("The evidence shows that the answer is yes.", "yes"),
        ("Nothing changed, so yes.", "yes"),
        ("Not sure.", None),
        ("Normal saline was better.", None),
        ("Yes and no.", None),
        ("", None),
        ("\ufffd\u0000 %$", None),
    ],
)
def test_pubmedqa(answer: str, expected: str | None) -> None:
    assert label(turn(1, name="pubmedqa"), answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("(B) Heparin", "B"),
        ("(b) Heparin", "B"),
        ("The answer is C.", "C"),
        ("(E) nothing", None),
        ("Rest, A or B", None),
    ],
)
def test_multiple_choice(answer: str, expected: str | None) -> None:
    assert label(turn(1, name="multiple_choice"), answer) == expected


def test_open_question_has_none() -> None:
    assert label(turn(1), "yes. Always.") is None


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
