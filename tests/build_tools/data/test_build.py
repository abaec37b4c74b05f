"""From a stage to rows: what is learned, what is cut, what is dropped and counted, and when that is too much."""

import gzip
import hashlib
import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from build_tools.data.build import NO_ANSWER, NO_TEXT, TOO_LONG, build
from build_tools.data.rows import IGNORED, load, save
from build_tools.data.template import ChatTokenizer
from medlora_edge.errors import DataRuleError, ExitCode, GateError, UsageError
from medlora_edge.tasks import Question, task
from tests.build_tools.conftest import sentences
from tests.build_tools.data.makers import (
    byte_level_bpe,
    chat_stage,
    choice,
    completion_stage,
    learned,
    write_base,
    write_lines,
)

OPEN = {"format": "question_answer", "file": "qa.jsonl"}
TEXT = {"format": "text", "files": ["text.jsonl"]}


def questions(count: int, answer: str = "Because it is so.") -> list[dict[str, Any]]:
    return [{"question": f"Why number {number}?", "answer": answer} for number in range(count)]


def test_every_document_is_learned_once_with_its_end_of_turn(scratch_base: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "qa.jsonl", questions(30))
    rows, report = build(chat_stage(OPEN, max_length=512), scratch_base, tmp_path, seed=1)
    tokenizer = ChatTokenizer(scratch_base)
    ids = [id_ for row in (*rows.train, *rows.held_out) for id_ in row.ids]
    assert sorted(ids) == sorted(f"qa.jsonl:{number}" for number in range(1, 31))
    assert all(len(row.ids) == 1 for row in rows.held_out)
    assert len(rows.train) < 28 == sum(len(row.ids) for row in rows.train)
    for row in rows.train:
        text = tokenizer.vocabulary.decode(learned(row))
        assert text == "Because it is so.<|im_end|>" * len(row.ids)
    assert (report.documents, report.held_out, report.dropped, report.truncated) == (30, 2, 0, 0)
    assert report.sources[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (report.sources[0].file, report.sources[0].documents, report.sources[0].licence) == ("qa.jsonl", 30, "none")


def test_the_report_counts_what_the_rows_hold(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(12) + questions(3))
    rows, report = build(chat_stage(OPEN), scratch_base, tmp_path, seed=0)
    assert report.rows == len(rows.train)
    assert report.tokens == sum(len(row.input_ids) for row in rows.train)
    assert report.trained_tokens == sum(len(learned(row)) for row in rows.train)
    assert report.held_out_trained_tokens == sum(len(learned(row)) for row in rows.held_out)
    assert report.duplicates == 3
    lengths = sorted(length for row in (*rows.train, *rows.held_out) for length in row.seq_lengths)
    assert (report.lengths["shortest"], report.lengths["longest"]) == (lengths[0], lengths[-1])
    assert 0 < report.trained_share < 1


def test_the_same_recipe_gives_the_same_rows(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(20))
    for name in ("one", "two"):
        save(build(chat_stage(OPEN), scratch_base, tmp_path, seed=3)[0], tmp_path / name)
    assert (tmp_path / "one" / "rows.json").read_bytes() == (tmp_path / "two" / "rows.json").read_bytes()
    held_out = [row.ids for row in load(tmp_path / "one").held_out]
    assert held_out != [row.ids for row in build(chat_stage(OPEN), scratch_base, tmp_path, seed=4)[0].held_out]


def test_without_packing_a_row_is_a_document(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(10))
    rows, _ = build(chat_stage(OPEN, packing=False), scratch_base, tmp_path, seed=0)
    assert [len(row.seq_lengths) for row in rows.train] == [1] * 9


def test_answers_are_never_cut_but_dropped_and_counted(scratch_base: Path, tmp_path: Path) -> None:
    records = [*questions(97), {"question": "Long?", "answer": "word " * 2000}, {"question": "Blank?", "answer": " "}]
    write_lines(tmp_path / "qa.jsonl", records)
    rows, report = build(chat_stage(OPEN, limits={"untrained_rows": 0.03}), scratch_base, tmp_path, seed=0)
    assert report.refused == {TOO_LONG: 1, NO_ANSWER: 1}
    assert (report.documents, report.dropped) == (99, 2)
    assert not {"qa.jsonl:98", "qa.jsonl:99"} & {id_ for row in rows.train for id_ in row.ids}
    assert max(len(row.input_ids) for row in rows.train) <= 512


def test_more_drops_than_the_limit_are_refused_with_the_longest_length(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", [*questions(19), {"question": "Long?", "answer": "word " * 2000}])
    with pytest.raises(GateError, match=r"5.0% of 20 documents would teach nothing, at most 2.0% may") as caught:
        build(chat_stage(OPEN, name="sft"), scratch_base, tmp_path, seed=0)
    assert caught.value.code is ExitCode.GATE
    assert caught.value.where == "stage sft"
    assert "max_length (now 512; the longest document has " in (caught.value.fix or "")


def test_nothing_left_to_learn_is_refused(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(5))
    with pytest.raises(UsageError, match="no row is left to train on"):
        build(chat_stage(OPEN, max_length=16, limits={"untrained_rows": 1.0}), scratch_base, tmp_path, seed=0)


def test_a_test_item_stops_the_build(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", [*questions(5), {"question": "Acromegaly occurs:", "answer": "x"}])
    with pytest.raises(DataRuleError, match="1 official test item"):
        build(chat_stage(OPEN), scratch_base, tmp_path, seed=0)


def test_several_sources_share_rows(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(5))
    write_lines(tmp_path / "mc.jsonl.gz", [choice(f"Which number {number}?") for number in range(5)])
    stage = chat_stage(OPEN, {"format": "multiple_choice", "file": "mc.jsonl.gz", "licence": "MIT"})
    rows, report = build(stage, scratch_base, tmp_path, seed=0)
    assert [(source.file, source.licence, source.documents) for source in report.sources] == [
        ("qa.jsonl", "none", 5),
        ("mc.jsonl.gz", "MIT", 5),
    ]
    assert any({id_.split(":")[0] for id_ in row.ids} == {"qa.jsonl", "mc.jsonl.gz"} for row in rows.train)


def texts(count: int) -> list[dict[str, str]]:
    body = "It was given to some and helped most of them. " * 40
    return [{"text": f"Text {number}. {body}"} for number in range(count)]


def whole_text(id_: str, tokenizer: ChatTokenizer) -> list[int]:
    """Tokens of the text that `id_` names, and EOS."""
    number = int(id_.split(":")[1]) - 1
    return [*tokenizer.text(texts(number + 1)[number]["text"].strip()), tokenizer.vocabulary.eos or 0]


def pieces_of(rows: Any, id_: str) -> list[tuple[list[int], list[int]]]:
    found = []
    for row in rows.train:
        start = 0
        for name, length in zip(row.ids, row.seq_lengths, strict=True):
            if name.split("#")[0] == id_:
                part = slice(start, start + length)
                found.append((int(name.split("#")[1]), row.input_ids[part].tolist(), row.labels[part].tolist()))
            start += length
    return [(ids, labels) for _, ids, labels in sorted(found)]


def test_long_texts_become_pieces_that_each_begin_with_bos(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "text.jsonl", texts(4))
    rows, report = build(completion_stage(TEXT, max_length=64), scratch_base, tmp_path, seed=0)
    tokenizer = ChatTokenizer(scratch_base)
    trained = {id_.split("#")[0] for row in rows.train for id_ in row.ids}
    assert (report.truncated, report.dropped, report.documents) == (4, 0, 4)
    for id_ in trained:
        pieces = pieces_of(rows, id_)
        assert len(pieces) > 1
        assert all(ids[0] == tokenizer.vocabulary.bos and labels[0] == IGNORED for ids, labels in pieces)
        assert [token for _, labels in pieces for token in labels[1:]] == whole_text(id_, tokenizer)


def test_without_bos_a_piece_begins_with_the_last_token_before_it(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", byte_level_bpe(sentences()), eos_token="<|im_end|>")
    write_lines(tmp_path / "text.jsonl", texts(4))
    rows, _ = build(completion_stage(TEXT, max_length=64, packing=False), base, tmp_path, seed=0)
    tokenizer = ChatTokenizer(base)
    id_ = rows.train[0].ids[0].split("#")[0]
    pieces = pieces_of(rows, id_)
    assert [token for _, labels in pieces for token in labels[1:]] == whole_text(id_, tokenizer)[1:]
    assert all(after[0] == before[-1] for (before, _), (after, _) in pairwise(pieces))
    assert all(len(ids) == 64 for ids, _ in pieces[:-1])


def test_blank_texts_are_counted(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "text.jsonl", [*texts(2), {"text": " \n"}])
    stage = completion_stage(TEXT, limits={"untrained_rows": 0.5})
    assert build(stage, scratch_base, tmp_path, seed=0)[1].refused == {NO_TEXT: 1}


@pytest.mark.shared_data
def test_pubmedqa_as_trained_is_as_asked_and_scored(scratch_base: Path, shared_data: Path) -> None:
    stage = chat_stage({"format": "pubmedqa", "file": "pubmedqa/ori_pqal.json.gz"}, max_length=4096)
    rows, report = build(stage, scratch_base, shared_data, seed=0)
    tokenizer = ChatTokenizer(scratch_base)
    answers = Counter(tokenizer.vocabulary.decode(learned(row)).partition(".")[0] for row in rows.held_out)
    assert (report.documents, report.dropped) == (500, 0)
    assert set(answers) <= {"yes", "no", "maybe"}
    candidates = task("pubmedqa").candidates(Question("", "", ()))
    for row in rows.held_out:
        text = tokenizer.vocabulary.decode(learned(row))
        assert any(text.startswith(candidate) for candidate in candidates.values())
        assert text.endswith("<|im_end|>")


@pytest.mark.shared_data
def test_medquad_is_packed_tightly_and_its_twins_stay_together(
    scratch_base: Path, shared_data: Path, tmp_path: Path
) -> None:
    with gzip.open(shared_data / "medquad" / "medquad_answered.jsonl.gz") as stream:
        (tmp_path / "medquad.jsonl").write_bytes(b"".join(islice(stream, 3000)))
    entry = {"format": "question_answer", "file": "medquad.jsonl", "question": "question", "answer": "answer"}
    rows, report = build(chat_stage(entry, max_length=8192), scratch_base, tmp_path, seed=0)
    assert report.documents == 3000 == report.dropped + report.held_out + sum(len(row.ids) for row in rows.train)
    assert report.duplicates > 40
    assert np.mean([len(row.input_ids) for row in rows.train]) > 0.95 * 8192


def test_the_data_room_needs_no_torch() -> None:
    modules = "build, preview, sources, leaks, rows, template, vocabulary"
    code = f"import sys; from build_tools.data import {modules}; print({{'torch', 'transformers'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
