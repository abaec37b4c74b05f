"""Foreign data: asked as the tasks ask, and what is wrong with it said with file, line and field."""

import errno
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build_tools.data.documents import Document, Exchange, LeftOut, Passage
from build_tools.data.sources import files, texts
from build_tools.data.sources import read as entries
from medlora_edge.bench.library import official_test_ids
from medlora_edge.errors import CorruptError, MedloraError, ResourceError, UsageError
from medlora_edge.tasks import Question, task
from tests.bench.samples import record, write_records
from tests.build_tools.data.makers import chat_stage, choice, completion_stage, write_lines


def read(data: Any, folder: Path) -> Iterator[Document]:
    return (entry for entry in entries(data, folder) if not isinstance(entry, LeftOut))


def chat_data(**entry: Any) -> Any:
    return chat_stage(entry).data[0]


def text_data(*names: str, **more: Any) -> Any:
    return completion_stage({"format": "text", "files": names, **more}).data[0]


def test_pubmedqa_is_asked_and_answered_as_the_task_does(tmp_path: Path) -> None:
    write_records(tmp_path / "q.json", {"7": record("maybe", LONG_ANSWER="Some were helped.")})
    (document,) = read(chat_data(format="pubmedqa", file="q.json"), tmp_path)
    assert isinstance(document, Exchange)
    asked = Question("7", document.asked, ("It was tried.", "It worked in most."))
    assert document.messages == task("pubmedqa").messages(asked)
    assert document.answer == "maybe. Some were helped."
    assert (document.id, document.where) == ("q.json:7", f"{tmp_path / 'q.json'}, record '7'")


@pytest.mark.shared_data
def test_pubmedqa_trains_on_the_500_that_are_not_the_official_test(shared_data: Path) -> None:
    documents = list(read(chat_data(format="pubmedqa", file="ori_pqal.json.gz"), shared_data / "pubmedqa"))
    assert len(documents) == 500
    assert not {document.id.split(":")[1] for document in documents} & set(official_test_ids())


def test_multiple_choice_is_asked_and_answered_as_the_task_does(tmp_path: Path) -> None:
    write_lines(tmp_path / "q.jsonl.gz", [choice("Which drug?", "C", id="x", exp=None)])
    (document,) = read(chat_data(format="multiple_choice", file="q.jsonl.gz"), tmp_path)
    assert isinstance(document, Exchange)
    assert document.messages == task("multiple_choice").messages(
        Question("", "Which drug?", options=choice("")["options"])
    )
    assert (document.answer, document.id) == ("(C) Heparin", "q.jsonl.gz:1")


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("medqa/medqa_us_4opt_train_sample.jsonl.gz", 756),
        ("medqa/medqa_us_5opt_train_sample.jsonl.gz", 1000),
        ("medmcqa/medmcqa_train_sample.jsonl.gz", 997),
    ],
)
def test_real_multiple_choice_files_are_read_whole(shared_data: Path, file: str, count: int) -> None:
    assert sum(1 for _ in read(chat_data(format="multiple_choice", file=file), shared_data)) == count


def test_question_and_answer_with_named_fields_and_a_thought(tmp_path: Path) -> None:
    write_lines(tmp_path / "q.jsonl", [{"q": "Why? ", "a": "\nSo.", "t": "Hm."}, {"q": "Who?", "a": "He.", "t": ""}])
    data = chat_data(format="question_answer", file="q.jsonl", question="q", answer="a", thought="t")
    first, second = read(data, tmp_path)
    assert isinstance(first, Exchange)
    assert isinstance(second, Exchange)
    assert first.messages == task("ask").messages(Question("", "Why?"))
    assert first.answer == "<think>\nHm.\n</think>\n\nSo."
    assert second.answer == "He."


def test_text_is_one_document_a_file_or_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffOne.\n\nTwo.\n", encoding="utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress("Größe".encode()))
    write_lines(tmp_path / "c.jsonl.gz", [{"body": "Three."}, {"body": "Four."}])
    documents = list(read(text_data("a.txt", "b.txt.gz", "c.jsonl.gz", field="body"), tmp_path))
    assert [document.asked for document in documents] == ["One.\n\nTwo.", "Größe", "Three.", "Four."]
    assert [document.id for document in documents] == ["a.txt", "b.txt.gz", "c.jsonl.gz:1", "c.jsonl.gz:2"]


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\n  \n{"text": "b"}')
    documents = list(read(text_data("q.jsonl"), tmp_path))
    assert [(document.id, document.asked) for document in documents] == [("q.jsonl:1", "a"), ("q.jsonl:4", "b")]


def test_all_text_of_a_stage_is_prompts_and_answers(tmp_path: Path) -> None:
    write_lines(tmp_path / "q.jsonl", [choice("Which drug?", "B")])
    everything = list(texts(chat_stage({"format": "multiple_choice", "file": "q.jsonl"}), tmp_path))
    assert everything[-1] == "(B) Rest"
    assert len(everything) == 3
    (tmp_path / "a.txt").write_text("One.")
    assert list(texts(completion_stage({"format": "text", "files": ["a.txt"]}), tmp_path)) == ["One."]


def test_a_damaged_line_is_named_before_a_tokenizer_is_trained(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [{"text": "One."}, {"txt": "Two."}])
    with pytest.raises(CorruptError, match="no field 'text'") as damaged:
        texts(completion_stage({"format": "text", "files": ["a.jsonl"]}), tmp_path)
    assert str(damaged.value.where).endswith("a.jsonl, line 2")


def test_files_without_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n")
    with pytest.raises(UsageError, match="no text") as empty:
        texts(completion_stage({"format": "text", "files": ["a.txt"]}), tmp_path)
    assert "a.txt" in str(empty.value.where)


BROKEN = {"format": "multiple_choice", "file": "q.jsonl"}
OPEN = {"format": "question_answer", "file": "q.jsonl"}


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        (BROKEN, b"{", "JSON"),
        (BROKEN, b"[" * 100_000, "JSON"),
        (BROKEN, b"9" * 10_000, "JSON"),
        (BROKEN, b"[]", "not a JSON object"),
        (BROKEN, b"\xff\xfe", "UTF-8"),
        (BROKEN, b"{}", "question"),
        (BROKEN, json.dumps(choice(" ")).encode(), "question"),
        (BROKEN, json.dumps(choice("Why?", options=["a", "b"])).encode(), "options"),
        (BROKEN, json.dumps(choice("Why?", options={"A": 1, "B": "x"})).encode(), "options.A"),
        (BROKEN, json.dumps(choice("Why?", options={"A": "only"})).encode(), "options"),
        (BROKEN, json.dumps(choice("Why?", options={"B": "x", "A": "y"})).encode(), "in order"),
        (BROKEN, json.dumps(choice("Why?", "E")).encode(), "answer_idx: 'E' is no option"),
        (BROKEN, json.dumps(choice("Why?", answer_idx=1)).encode(), "answer_idx"),
        (BROKEN, json.dumps(choice("\ud800")).encode(), "question"),
        (OPEN, b'{"answer": "x"}', "no field 'question'"),
        (OPEN, b'{"question": "x", "answer": 3}', "answer"),
        (OPEN, b'{"question": "x", "answer": null}', "answer"),
        (OPEN, b'{"question": "", "answer": "x"}', "question is empty"),
        (OPEN, b'{"question": "x", "answer": "\\ud800"}', "answer"),
    ],
)
def test_a_bad_record_is_named_with_its_line(tmp_path: Path, entry: dict[str, Any], line: bytes, words: str) -> None:
    good = json.dumps({**choice("Which?"), "answer": "x"}).encode()
    (tmp_path / "q.jsonl").write_bytes(good + b"\n" + line + b"\n" + good)
    with pytest.raises(CorruptError, match=words) as caught:
        list(read(chat_data(**entry), tmp_path))
    assert caught.value.where == f"{tmp_path / 'q.jsonl'}, line 2"
    assert caught.value.fix or "is no option" in words


def test_plain_text_that_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\ntwo \xe9\n")
    with pytest.raises(CorruptError, match="UTF-8") as caught:
        list(read(text_data("a.txt"), tmp_path))
    assert caught.value.where == f"{tmp_path / 'a.txt'}, line 2"


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "q.jsonl.gz", [choice(f"Which {number}?") for number in range(400)])
    (tmp_path / "q.jsonl.gz").write_bytes((tmp_path / "q.jsonl.gz").read_bytes()[:-40])
    with pytest.raises(CorruptError, match="gzip"):
        list(read(chat_data(format="multiple_choice", file="q.jsonl.gz"), tmp_path))


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["missing", "folder"])
def test_what_is_no_file_is_a_usage_error(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "q.jsonl")
    for data in (chat_data(**BROKEN), chat_data(format="pubmedqa", file="q.jsonl"), text_data("q.jsonl")):
        with pytest.raises(UsageError):
            list(read(data, tmp_path))
        assert files(data, tmp_path) == (tmp_path / "q.jsonl",)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from("ABCD"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from("ABCD"), inner, max_size=4),
    max_leaves=8,
)
_records = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("question", "options", "answer_idx", "answer", "text"), _json)),
    max_size=3,
)
_same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@_same_folder
@given(st.binary(max_size=200) | _records.map(lambda records: "\n".join(map(json.dumps, records)).encode()))
def test_any_file_is_read_or_refused_in_words(tmp_path: Path, content: bytes) -> None:
    for name in ("q.jsonl", "q.txt"):
        (tmp_path / name).write_bytes(content)
    for data in (chat_data(**BROKEN), chat_data(**OPEN), text_data("q.jsonl"), text_data("q.txt")):
        try:
            found = list(read(data, tmp_path))
        except MedloraError as error:
            assert str(tmp_path) in (error.where or "")
        else:
            assert all(isinstance(document, Exchange | Passage) for document in found)


def test_a_file_with_a_hash_that_the_disk_cannot_read_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "q.jsonl", [{"question": "Why?", "answer": "So."}])
    data = chat_data(format="question_answer", file="q.jsonl", sha256="0" * 64)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ResourceError, match="cannot read the file: Input/output error"):
        list(read(data, tmp_path))
