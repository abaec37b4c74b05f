"""Yes / no / maybe questions from trial abstracts: in doubt none, and never the conclusion in the context."""

from pathlib import Path
from typing import Any

import pytest

from build_tools.data.documents import Exchange, LeftOut
from build_tools.data.trial_labels import label
from build_tools.data.trial_questions import question
from build_tools.data.trials import NO_LABEL, NO_QUESTION, NO_RESULTS, sample, trials
from medlora_edge.errors import CorruptError
from medlora_edge.tasks import Question, task
from tests.build_tools.data.makers import write_lines


def trial(title: str, conclusion: str, **more: Any) -> dict[str, Any]:
    told = [("BACKGROUND", "Pain is common."), ("METHODS", "It was tried."), ("METHODS", "Twice.")]
    sentences = [*told, ("RESULTS", "It was measured."), ("CONCLUSIONS", conclusion)]
    return {"pmcid": "1", "title": title, "sentences": [{"label": a, "text": b} for a, b in sentences], **more}


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("Effect of yoga on sleep: a randomised trial", "Does yoga affect sleep?".replace("sleep", "sleep")),
        ("Does zinc shorten the common cold? A trial", "Does zinc shorten the common cold?"),
        ("The effects of fish oils on joint pain", "Do fish oils affect joint pain?"),
        ("Effectiveness of reading groups in lonely old people", "Are reading groups effective in lonely old people?"),
        ("Massage does not reduce chronic back pain in nurses", "Does massage reduce chronic back pain in nurses?"),
        ("Warm milk improves sleep in older adults", "Does warm milk improve sleep in older adults?"),
    ],
)
def test_a_title_becomes_a_question(title: str, asked: str) -> None:
    assert question(f"{title}", ()) == (asked if len(asked.split()) >= 5 else None)


@pytest.mark.parametrize(
    "title",
    [
        "Zinc versus iron in anaemia",
        "Effect of yoga compared with rest on sleep in adults",
        "Safety and cost of an early discharge",
        "An intervention to reduce falls in care homes",
        "Study protocol: effect of this programme on sleep and mood",
    ],
)
def test_a_title_that_compares_plans_or_says_no_effect_gives_none(title: str) -> None:
    assert question(title, ()) is None


def test_an_objective_is_asked_where_the_title_gives_nothing() -> None:
    objective = "To determine whether early walking prevents clots after hip surgery."
    assert question("A trial of walking", (objective,)) == "Does early walking prevent clots after hip surgery?"
    assert question("A trial of walking", ("Early walking prevents clots after hip surgery.",)) is None


@pytest.mark.parametrize(
    ("conclusion", "answer"),
    [
        (["Warm milk improved sleep in older adults."], "yes"),
        (["Warm milk improved sleep in older adults.", "However, larger trials are needed."], "yes"),
        (["Warm milk did not improve sleep in older adults."], "no"),
        (["There was no significant effect of warm milk on sleep."], "no"),
        (["Warm milk improved sleep onset, but did not change sleep duration."], "maybe"),
        (["Whether warm milk helps sleep remains unclear."], "maybe"),
        (["Warm milk may improve sleep."], None),
        (["Warm milk improved sleep.", "It had no effect on mood, nor did it improve sleep in women."], None),
        (["Warm milk did not improve sleep.", "It improved sleep in women."], None),
        (["This trial will show whether warm milk improves sleep."], None),
        (["The procedure was effective in many patients."], None),
        ([], None),
    ],
)
def test_a_conclusion_is_labelled_or_left_alone(conclusion: list[str], answer: str | None) -> None:
    assert label("Does warm milk improve sleep in older adults?", conclusion) == answer


def test_a_trial_is_asked_as_pubmedqa_without_its_conclusion(tmp_path: Path) -> None:
    record = trial("Warm milk improves sleep in older adults", "Warm milk improved sleep in older adults.")
    (found,) = trials(write_lines(tmp_path / "t.jsonl.gz", [record]))
    assert isinstance(found, Exchange)
    contexts = ("Pain is common.", "It was tried. Twice.", "It was measured.")
    assert found.messages == task("pubmedqa").messages(Question("", found.asked, contexts))
    assert (found.label, found.answer) == ("yes", "yes. Warm milk improved sleep in older adults.")
    assert "improved" not in "".join(message.content for message in found.messages)


def test_what_gives_no_question_is_counted_by_reason(tmp_path: Path) -> None:
    records = [
        trial("Milk in old age", "Warm milk improved sleep."),
        trial("Warm milk improves sleep in older adults", "Warm milk might be considered for sleep."),
        trial("Warm milk improves sleep in older adults", "x", sentences=[{"label": "METHODS", "text": "y"}]),
    ]
    found = list(trials(write_lines(tmp_path / "t.jsonl", records)))
    assert [item.reason for item in found if isinstance(item, LeftOut)] == [NO_QUESTION, NO_LABEL, NO_RESULTS]


def test_another_form_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "t.jsonl", [trial("a", "b"), {"pmcid": "2", "title": "c"}])
    with pytest.raises(CorruptError, match="sentences: Field required") as caught:
        list(trials(path))
    assert caught.value.where == f"{path}, line 2"


@pytest.mark.shared_data
def test_the_real_abstracts_give_the_counts_of_the_page_and_a_sample(shared_data: Path) -> None:
    path = shared_data / "rct_abstracts" / "rct_abstracts.jsonl.gz"
    first, second, *rest = sample(path, 1)
    page = (Path(__file__).parents[3] / "docs" / "trial-questions.md").read_text(encoding="utf-8")
    assert first in page
    assert second in page
    assert len(rest) == 50
    assert rest == list(sample(path, 1))[2:]
