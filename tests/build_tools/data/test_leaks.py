"""Official test items are refused as training data: exit 6 with file, record and data set."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from build_tools.data import leaks
from build_tools.data.documents import Exchange
from build_tools.data.sources import read
from medlora_edge.bench.library import official_test_ids
from medlora_edge.errors import DataRuleError, ExitCode
from tests.build_tools.data.makers import chat_stage, choice, completion_stage, write_lines
from tests.tasks.shared import multiple_choice, pubmedqa

FIRST_MEDQA = (
    "A junior orthopaedic surgery resident is completing a carpal tunnel repair with the department chairman as the "
    "attending physician. During the case, the resident inadvertently cuts a flexor tendon. The tendon is repaired "
    "without complication. The attending tells the resident that the patient will do fine, and there is no need to "
    "report this minor complication that will not harm the patient, as he does not want to make the patient worry "
    "unnecessarily. He tells the resident to leave this complication out of the operative report. Which of the "
    "following is the correct next action for the resident to take?"
)
OPTIONS = "\n(A) Disclose the error\n(B) Tell the attending\n(C) Report him\n(D) Refuse"


def refused(entry: dict[str, Any], folder: Path) -> DataRuleError:
    stage = completion_stage(entry) if entry["format"] == "text" else chat_stage(entry)
    with pytest.raises(DataRuleError) as caught:
        leaks.refuse(read(stage.data[0], folder))
    assert caught.value.code is ExitCode.DATA_RULE
    return caught.value


@pytest.mark.parametrize("question", [FIRST_MEDQA, FIRST_MEDQA.upper() + "  ", FIRST_MEDQA.replace(",", " ,")])
def test_a_test_question_is_refused_in_every_form(tmp_path: Path, question: str) -> None:
    write_lines(tmp_path / "mc.jsonl", [choice("Which?"), choice(question)])
    answered = [{"question": text, "answer": "x"} for text in ("Why?", question + OPTIONS)]
    write_lines(tmp_path / "qa.jsonl", answered)
    write_lines(tmp_path / "text.jsonl", [{"text": "Some text."}, {"text": question}])
    for name, form in (("mc", "multiple_choice"), ("qa", "question_answer")):
        error = refused({"format": form, "file": f"{name}.jsonl"}, tmp_path)
        assert error.where == f"{tmp_path / name}.jsonl, line 2 (MedQA US test, 4 options)"
    assert "line 2 (MedQA" in (refused({"format": "text", "files": ["text.jsonl"]}, tmp_path).where or "")


@pytest.mark.parametrize(
    "rendered",
    [
        f"Question: {FIRST_MEDQA}{OPTIONS}\nAnswer: A",
        f"A page of text.\n\nQ: {FIRST_MEDQA}\nA: Disclose the error.\n\n" + "More of it.\n" * 2000,
        f"1.\n{FIRST_MEDQA}{OPTIONS}".replace("\n(", " ("),
    ],
)
def test_a_test_question_inside_a_text_is_refused(tmp_path: Path, rendered: str) -> None:
    write_lines(tmp_path / "text.jsonl", [{"text": "Q: Why is it so?"}, {"text": rendered}])
    error = refused({"format": "text", "files": ["text.jsonl"]}, tmp_path)
    assert error.where == f"{tmp_path / 'text.jsonl'}, line 2 (MedQA US test, 4 options)"


def test_a_line_of_a_few_words_proves_nothing(tmp_path: Path) -> None:
    write_lines(tmp_path / "text.jsonl", [{"text": "Of the pituitary.\nAcromegaly occurs:\nThen it does."}])
    leaks.refuse(read(completion_stage({"format": "text", "files": ["text.jsonl"]}).data[0], tmp_path))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("form", "file", "count", "name"),
    [
        ("multiple_choice", "medqa/medqa_us_4opt_test.jsonl.gz", "1,273", "MedQA US test, 4 options"),
        ("multiple_choice", "medqa/medqa_us_5opt_test.jsonl.gz", "1,273", "MedQA US test, 4 options"),
        ("multiple_choice", "medmcqa/medmcqa_dev.jsonl.gz", "4,183", "MedMCQA dev"),
        ("multiple_choice", "mmlu_medical/mmlu_medical_test.jsonl.gz", "1,871", "MMLU medical test"),
    ],
)
def test_official_test_files_are_refused(shared_data: Path, form: str, file: str, count: str, name: str) -> None:
    error = refused({"format": form, "file": file}, shared_data)
    assert count in error.what
    assert f"{shared_data / file}, line 1 ({name})" in (error.where or "")


@pytest.mark.shared_data
def test_pubmedqa_test_items_are_refused_in_a_file_of_their_own(shared_data: Path, tmp_path: Path) -> None:
    records, test = pubmedqa(shared_data), official_test_ids()
    few = {"x1": records["12377809"], "21645374": next(records[id_] for id_ in records if id_ not in test)}
    (tmp_path / "few.json").write_text(json.dumps(few))
    error = refused({"format": "pubmedqa", "file": "few.json"}, tmp_path)
    assert error.where == f"{tmp_path / 'few.json'}, record 'x1' (PubMedQA test)"


@pytest.mark.shared_data
def test_training_files_are_not_refused(shared_data: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"format": "pubmedqa", "file": "pubmedqa/ori_pqal.json.gz"},
        {"format": "multiple_choice", "file": "medqa/medqa_us_5opt_train_sample.jsonl.gz"},
        {"format": "multiple_choice", "file": "medqa/medqa_us_4opt_dev.jsonl.gz"},
        {"format": "multiple_choice", "file": "medmcqa/medmcqa_train_sample.jsonl.gz"},
        {"format": "question_answer", "file": "medquad/medquad_answered.jsonl.gz"},
        {"format": "question_answer", "file": "wikidoc/wikidoc_patient_information.jsonl.gz"},
    ]
    for entry in entries:
        documents = [found for found in read(chat_stage(entry).data[0], shared_data) if isinstance(found, Exchange)]
        leaks.refuse(documents)
        with pytest.raises(DataRuleError, match=r"^1 official test item "):
            leaks.refuse([*documents, replace(documents[-1], asked=FIRST_MEDQA)])


@pytest.mark.shared_data
def test_the_list_is_what_its_maker_makes(shared_data: Path) -> None:
    committed = resources.files("build_tools.data").joinpath("test_questions.json").read_text(encoding="utf-8")
    assert leaks.make(shared_data) == committed
    assert len(committed) < 150_000


@pytest.mark.shared_data
def test_every_official_question_is_known(shared_data: Path) -> None:
    for file in ("medqa/medqa_us_5opt_test", "medmcqa/medmcqa_dev", "mmlu_medical/mmlu_medical_test"):
        for item in multiple_choice(shared_data / f"{file}.jsonl.gz"):
            assert leaks.test_set_of(item.question)
            assert leaks.test_set_of(item.question, item.options.values())


def test_blank_and_everyday_texts_are_not_known() -> None:
    for text in ("", " ", "?!", "What are the symptoms of Allergy?"):
        assert leaks.test_set_of(text) is None


def test_a_few_words_are_known_by_their_options(tmp_path: Path) -> None:
    """As a bare question "Acromegaly occurs:" is known; with other options it is another question."""
    write_lines(tmp_path / "mc.jsonl", [choice("Acromegaly occurs:")])
    (document,) = read(chat_stage({"format": "multiple_choice", "file": "mc.jsonl"}).data[0], tmp_path)
    assert isinstance(document, Exchange)
    leaks.refuse([document])
    options = {"A": "After fusion of epiphysis", "B": "Due to hypersecretion of ADH"}
    assert leaks.fingerprint("Acromegaly occurs", options.values()) == leaks.fingerprint(
        "acromegaly occurs:", reversed(options.values())
    )
    assert leaks.test_set_of("Acromegaly occurs:") == "MedMCQA dev"
