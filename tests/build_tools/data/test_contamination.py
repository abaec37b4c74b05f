"""Training documents that share words in a row with a test set are found; common phrases and chance are not."""

import gzip
import json
import random
from pathlib import Path

import pytest

from build_tools.data import test_sets
from build_tools.data.build import build
from build_tools.data.contamination import COMMON, LONG, SHORT, Runs, overlap
from build_tools.data.documents import Document, Exchange, Passage
from build_tools.data.test_sets import TEST_SETS
from medlora_edge.bench.library import official_test_ids
from medlora_edge.errors import CorruptError, DataRuleError, UsageError
from tests.build_tools.data.makers import asked, completion_stage, write_lines

WORDS = [f"word{number}" for number in range(400)]
ITEM = " ".join(WORDS[:20])


def passages(*texts: str) -> list[Document]:
    return [Passage(f"f:{number}", Path("f"), "f", text) for number, text in enumerate(texts)]


def found(test_text: str, *texts: str) -> list[int]:
    return sorted(overlap(passages(*texts), Runs([("set", test_text)])).found)


def test_thirteen_words_in_a_row_are_found_whatever_their_case_and_marks() -> None:
    inside = ", ".join(WORDS[4 : 4 + LONG]).upper()
    assert found(ITEM, f"before {inside}; after") == [0]
    assert found(ITEM, " ".join(WORDS[4 : 3 + LONG])) == []


def test_eight_are_enough_of_a_short_item_and_fewer_are_no_item() -> None:
    short = " ".join(WORDS[: SHORT + 2])
    assert found(short, f"x {' '.join(WORDS[1 : SHORT + 1])} y") == [0]
    assert found(" ".join(WORDS[: SHORT - 1]), " ".join(WORDS[: SHORT - 1])) == []


def test_a_question_a_context_and_an_answer_are_all_looked_at() -> None:
    one = Exchange("q", Path("f"), "f", "Why?", asked(f"{ITEM} Why?"), "So.")
    other = Exchange("q", Path("f"), "f", "Why?", asked("Why?"), f"Because {ITEM}")
    assert sorted(overlap([one, other], Runs([("set", ITEM)])).found) == [0, 1]


def test_a_phrase_of_many_documents_proves_nothing() -> None:
    texts, longer = [f"{number} {ITEM} {number}" for number in range(COMMON + 1)], " ".join(WORDS[:21])
    assert found(longer, *texts[:COMMON]) == list(range(COMMON))
    met = overlap(passages(*texts), Runs([("set", longer)]))
    assert (dict(met.found), met.common) == ({}, 8)


def test_a_whole_test_text_is_no_phrase_however_many_documents_hold_it() -> None:
    texts = [f"{number} {ITEM} {number}" for number in range(COMMON + 1)]
    part = " ".join(WORDS[2 : 2 + LONG])
    met = overlap(passages(part, *texts), Runs([("set", ITEM)]))
    assert dict(met.found) == dict.fromkeys(range(1, COMMON + 2), "set")
    assert met.common == 8


def test_random_text_overlaps_with_nothing() -> None:
    chance = random.Random(0)
    texts = [" ".join(chance.choices(WORDS, k=300)) for _ in range(200)]
    assert found(" ".join(chance.choices(WORDS, k=2000)), *texts) == []


def test_a_test_set_that_is_missing_or_another_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "t.jsonl", [{"text": "one"}, {"text": "two"}])
    stage = completion_stage({"format": "text", "files": ["t.jsonl"]}, test_sets="sets")
    with pytest.raises(UsageError, match="no such file"):
        build(stage, tmp_path, tmp_path, seed=0)
    (tmp_path / "sets" / "pubmedqa").mkdir(parents=True)
    (tmp_path / "sets" / TEST_SETS[0].file).write_bytes(b"{}")
    with pytest.raises(CorruptError, match=TEST_SETS[0].sha256):
        build(stage, tmp_path, tmp_path, seed=0)


@pytest.mark.shared_data
def test_every_planted_piece_of_an_official_item_is_dropped_and_reported(
    scratch_base: Path, shared_data: Path, tmp_path: Path
) -> None:
    records = json.loads(gzip.decompress((shared_data / "pubmedqa" / "ori_pqal.json.gz").read_bytes()))
    leaks = [records[id_]["CONTEXTS"][0] for id_ in official_test_ids()[:50]]
    leaks = [" ".join(text.split()[3:33]) for text in leaks if len(text.split()) > 40]
    clean = [f"Nothing of number {number} is in any test of this kind or of another." for number in range(30)]
    write_lines(tmp_path / "t.jsonl", [{"text": f"Once it was so. {text} And so on."} for text in [*leaks, *clean]])
    stage = completion_stage({"format": "text", "files": ["t.jsonl"]}, test_sets=str(shared_data))
    _, report = build(stage, scratch_base, tmp_path, seed=0)
    assert report.decontamination is not None
    assert report.decontamination.documents == len(leaks) > 20
    assert sum(report.left_out.values()) == len(leaks)
    assert report.documents == len(clean)


@pytest.mark.shared_data
def test_a_whole_official_question_still_stops_the_build(scratch_base: Path, shared_data: Path, tmp_path: Path) -> None:
    whole = next(text for name, text in test_sets.texts(shared_data) if name == "PubMedQA test")
    write_lines(tmp_path / "t.jsonl", [{"text": whole}, {"text": "two"}])
    stage = completion_stage({"format": "text", "files": ["t.jsonl"]}, test_sets=str(shared_data))
    with pytest.raises(DataRuleError):
        build(stage, scratch_base, tmp_path, seed=0)
