"""The lenient reader on hand-written responses, on real data, and on anything at all."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medlora_edge.tasks import Question, task
from tests.tasks.shared import cases, multiple_choice, pubmedqa

ABSTRACT = Question("1", "Does it help?", ("A trial.",))
FOUR = Question("2", "Which?", options={"A": "Aspirin", "B": "Metformin", "C": "None of the above", "D": "5 mg"})
MILLION = 1_000_000

fragments = st.sampled_from(
    [
        *(
            "yes",
            "No",
            "maybe",
            "A",
            "(B)",
            "c)",
            "D.",
            "Metformin",
            "5 mg",
            "the answer is ",
            "Answer: ",
            "not ",
            "wait, ",
        ),
        *(
            "<think>",
            "</think>",
            "**",
            "`",
            "$",
            "\\boxed{",
            "}",
            "{",
            '"',
            "'",
            "|",
            "\n",
            " ",
            ", ",
            ". ",
            "? ",
            " or ",
        ),
        *(
            "\u201c",
            "\u200b",
            "\uff08",
            "\ue000",
            "\ue041",
            "\ud800",
            "\u0315",
            "\ufdfa",
            "\x1b[1m",
            "\x00",
            "I ",
            "is correct",
        ),
    ]
)
responses = st.one_of(st.text(), st.lists(fragments, max_size=30).map("".join))


@pytest.mark.parametrize("name", ["pubmedqa", "multiple_choice"])
def test_cases(name: str) -> None:
    """All are read as expected; each miss is listed."""
    asked = task(name)
    read = [(response, label, asked.read_lenient(response, question)) for question, response, label in cases(name)]
    assert len(read) >= 500
    assert [case for case in read if case[1] != case[2]] == []


@given(response=responses)
@example(response="<think>" * 50)
@pytest.mark.parametrize(("name", "question"), [("pubmedqa", ABSTRACT), ("multiple_choice", FOUR)])
def test_any_text_has_a_label_or_none(name: str, question: Question, response: str) -> None:
    asked = task(name)
    label = asked.read_lenient(response, question)
    assert label is None or label in asked.labels(question)


@given(response=responses, options=st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.text(max_size=20)))
def test_any_options_are_read(response: str, options: dict[str, str]) -> None:
    label = task("multiple_choice").read_lenient(response, Question("", "", options=options))
    assert label is None or label in options


WRAPPERS = [
    "{}",
    "**{}**",
    "*{}*",
    "`{}`",
    "> {}",
    "- {}",
    "# {}",
    '"{}"',
    "\u201c{}\u201d",
    "  {}\n\n",
    "<think>hmm</think>{}",
]
WRAPPERS += [
    "\\boxed{{{}}}",
    "Answer: {}",
    "**Answer:** {}",
    '{{"answer": "{}"}}',
    "<answer>{}</answer>",
    "The answer is {}.",
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_dress_does_not_change_the_verdict(wrapper: str) -> None:
    for label in ("yes", "no", "maybe", "Yes", "NO"):
        assert task("pubmedqa").read_lenient(wrapper.format(label), ABSTRACT) == label.lower()
    for letter, text in FOUR.options.items():
        for answer in (letter, f"({letter})", f"{letter}. {text}", f"({letter}) {text}", text):
            assert task("multiple_choice").read_lenient(wrapper.format(answer), FOUR) == letter


@given(thinking=st.text(alphabet="ABCD yesno.\n(){}", max_size=60))
def test_thinking_is_not_the_answer(thinking: str) -> None:
    assert task("multiple_choice").read_lenient(f"<think>{thinking}</think>(B) Metformin", FOUR) == "B"
    assert task("multiple_choice").read_lenient(f"{thinking}</think>(B) Metformin", FOUR) == "B"
    assert task("multiple_choice").read_lenient(f"(B) Metformin<think>{thinking}", FOUR) is None


@pytest.mark.parametrize(
    "unit", ["(", "{", "<think>", "</think>", "<think>x</think>", "\\boxed{", "answer is ", "answer: B\n"]
)
@pytest.mark.parametrize(("name", "question"), [("pubmedqa", ABSTRACT), ("multiple_choice", FOUR)])
def test_a_million_characters_of_structure(name: str, question: Question, unit: str) -> None:
    """Completes: anything worse than linear runs into the suite's time limit."""
    label = task(name).read_lenient(unit * (MILLION // len(unit)), question)
    assert label in {None, *task(name).labels(question)}


@pytest.mark.parametrize(
    "unit",
    [
        " ",
        "\n",
        "*",
        "a ",
        "B. ",
        "yes, ",
        "no. ",
        "A or B, ",
        "|B",
        "\u0315\u0300",
        "\ufdfa",
        "most likely the best ",
        "\nQ: ",
    ],
)
@pytest.mark.parametrize(("name", "question"), [("pubmedqa", ABSTRACT), ("multiple_choice", FOUR)])
def test_a_million_characters_of_text(name: str, question: Question, unit: str) -> None:
    label = task(name).read_lenient(unit * (MILLION // len(unit)), question)
    assert label in {None, *task(name).labels(question)}


def test_the_last_words_of_a_long_response_are_heard() -> None:
    long = "The trial had many arms. " * 20_000
    assert task("pubmedqa").read_lenient(long + "The answer is maybe.", ABSTRACT) == "maybe"
    assert task("multiple_choice").read_lenient(long + "Answer: B", FOUR) == "B"


@pytest.mark.shared_data
def test_real_conclusions_do_not_hide_the_label(shared_data: Path) -> None:
    """Before every one of the 1,000 conclusions each label reads as itself; after it, as the final answer."""
    asked = task("pubmedqa")
    missed = []
    for record in pubmedqa(shared_data).values():
        conclusion, gold = record["LONG_ANSWER"], record["final_decision"]
        for response, label in [
            *((f"{label}. {conclusion}", label) for label in ("yes", "no", "maybe")),
            (f"{conclusion}\n\nAnswer: {gold}", gold),
            (f"{conclusion} Therefore, the answer is {gold}.", gold),
            (conclusion, None),
        ]:
            if asked.read_lenient(response, ABSTRACT) != label:
                missed.append((label, response))
    assert missed == []


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    [
        "medqa/medqa_us_4opt_test.jsonl.gz",
        "medqa/medqa_us_5opt_test.jsonl.gz",
        "medmcqa/medmcqa_dev.jsonl.gz",
        "mmlu_medical/mmlu_medical_test.jsonl.gz",
    ],
)
def test_real_options_are_read(shared_data: Path, name: str) -> None:
    """The trained form reads as its letter; so does the text alone where it is nobody else's text or letter."""
    asked = task("multiple_choice")
    missed = []
    for question in multiple_choice(shared_data / name):
        texts = [text.strip() for text in question.options.values()]
        for letter, text in question.options.items():
            target = asked.target(question, letter)
            if not asked.read_strict(target, question) == asked.read_lenient(target, question) == letter:
                missed.append((letter, target))
            is_own = texts.count(text.strip()) == 1 and text.strip().upper() not in question.options
            if is_own and asked.read_lenient(text, question) != letter:
                missed.append((letter, text))
    assert missed == []
