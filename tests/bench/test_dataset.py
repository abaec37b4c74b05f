"""Reading PubMedQA files: what is taken, what is refused and with which words."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.bench import dataset
from medlora_edge.bench.kinds import Origin
from medlora_edge.errors import CorruptError, UsageError
from tests.bench.samples import record, write_records


def test_reads_plain_and_gzip_alike(tmp_path: Path) -> None:
    plain = write_records(tmp_path / "a.json", {"1": record("yes"), "2": record("no")})
    packed = tmp_path / "a.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = dataset.read(plain), dataset.read(packed)
    assert first == second
    assert [item.gold for item in first.items] == ["yes", "no"]
    assert first.items[0].question.contexts == ("It was tried.", "It worked in most.")
    assert first.origin is Origin.OWN


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b"[]", "one JSON object"),
        (b"{}", "one JSON object"),
        (b"[" * 100_000, "JSON"),
        (b'{"1": 5}', "the record"),
        (b'{"1": ' + b"9" * 10_000 + b"}", "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b"\x1f\x8bnothing", "gzip"),
    ],
)
def test_refuses_what_is_no_data_file(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=words):
        dataset.read(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"final_decision": "perhaps"}, "final_decision"),
        ({"final_decision": None}, "final_decision"),
        ({"CONTEXTS": []}, "CONTEXTS"),
        ({"CONTEXTS": ["fine", "  \n"]}, "CONTEXTS.1"),
        ({"CONTEXTS": "one text"}, "CONTEXTS"),
        ({"QUESTION": ""}, "QUESTION"),
        ({"QUESTION": "\ud800"}, "QUESTION"),
        ({"LONG_ANSWER": 3}, "LONG_ANSWER"),
        ({"CONTEXTS": ["x" * 100_000, "y" * 100_000]}, "more than 150,000 characters"),
    ],
)
def test_refuses_a_record_and_names_it(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = write_records(tmp_path / "bad.json", {"7": record(), "8": record(**changes)})
    with pytest.raises(CorruptError, match=words) as caught:
        dataset.read(path)
    assert caught.value.where == f"{path}, record '8'"


def test_refuses_duplicate_ids(tmp_path: Path) -> None:
    one = json.dumps(record())
    path = tmp_path / "twice.json"
    path.write_text(f'{{"7": {one}, "8": {one}, "7": {one}}}')
    with pytest.raises(CorruptError, match="'7' stands twice"):
        dataset.read(path)


@pytest.mark.parametrize("id_", ["", "a b", "x" * 101, "\u202e1", "1\n"])
def test_refuses_ids_that_cannot_be_shown(tmp_path: Path, id_: str) -> None:
    with pytest.raises(CorruptError, match="id"):
        dataset.read(write_records(tmp_path / "ids.json", {id_: record()}))


def test_takes_a_context_of_fifty_thousand_characters(tmp_path: Path) -> None:
    path = write_records(tmp_path / "long.json", {"1": record(CONTEXTS=["word " * 10_000])})
    assert len(dataset.read(path).items[0].question.contexts[0]) == 50_000


def test_refuses_a_gzip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * (65 << 20)))
    with pytest.raises(CorruptError, match="64 MiB"):
        dataset.read(path)


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError):
            dataset.read(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        dataset.parse(content, "here")
    except CorruptError as error:
        assert error.where


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["yes", "no"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(list(record())), inner),
)


@given(st.dictionaries(st.text(max_size=5), st.fixed_dictionaries(dict.fromkeys(record(), _json)) | _json, max_size=3))
def test_any_json_is_read_or_refused(records: dict[str, Any]) -> None:
    try:
        dataset.parse(json.dumps(records).encode(), "here")
    except CorruptError as error:
        assert error.where
