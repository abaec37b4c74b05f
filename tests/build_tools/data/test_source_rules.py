"""What a recipe says of a source: its hash, its share, what is left out of it and what no stage trains on."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from build_tools.data.build import build
from build_tools.data.documents import Exchange, LeftOut, Passage
from build_tools.data.reserve import reserved
from build_tools.data.sources import read
from build_tools.data.template import ChatTokenizer
from build_tools.manifest import sha256_of_file
from medlora_edge.errors import CorruptError, ExitCode
from tests.build_tools.data.makers import asked, chat_stage, completion_stage, learned, write_lines

OPEN = {"format": "question_answer", "file": "qa.jsonl"}
TEXT = {"format": "text", "files": ["text.jsonl"]}


def questions(count: int) -> list[dict[str, str]]:
    return [{"question": f"What is thing {n}?", "answer": f"It is {n}.", "doc": str(n // 3)} for n in range(count)]


def texts(count: int) -> list[dict[str, str]]:
    return [
        {"text": f"Text {number}. {'It was given to some and helped most of them. ' * 5}"} for number in range(count)
    ]


def ids_of(rows: Any) -> Counter[str]:
    return Counter(id_ for row in rows for id_ in row.ids)


@pytest.mark.parametrize("entry", [OPEN, TEXT])
def test_a_file_with_another_hash_is_refused_with_both(entry: dict[str, Any], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "qa.jsonl", questions(2))
    write_lines(tmp_path / "text.jsonl", questions(2))
    wanted, found = "0" * 64, sha256_of_file(path)
    stage = completion_stage if entry is TEXT else chat_stage
    with pytest.raises(CorruptError, match=f"{found}, wanted {wanted}") as caught:
        read(stage({**entry, "sha256": [wanted] if entry is TEXT else wanted}).data[0], tmp_path)
    assert caught.value.code is ExitCode.CORRUPT
    assert str(caught.value.where).endswith(".jsonl")
    assert list(read(chat_stage({**OPEN, "sha256": found}).data[0], tmp_path))


def test_a_text_may_lie_in_parts(tmp_path: Path) -> None:
    sections = [{"title": "Methods", "text": "It was tried."}, {"title": "Results", "text": "It worked."}]
    sentences = [{"label": "x", "text": "One."}, {"label": "y", "text": "Two."}]
    write_lines(tmp_path / "text.jsonl", [{"text": sections}, {"text": sentences}])
    documents = read(completion_stage(TEXT).data[0], tmp_path)
    found = [entry.text for entry in documents if isinstance(entry, Passage)]
    assert found == ["Methods\nIt was tried.\n\nResults\nIt worked.", "One. Two."]
    write_lines(tmp_path / "text.jsonl", [{"text": [{"title": "no text"}]}])
    with pytest.raises(CorruptError, match=r"text: 0.text: Field required"):
        list(read(completion_stage(TEXT).data[0], tmp_path))


def test_answers_that_a_rule_leaves_out_are_counted(scratch_base: Path, tmp_path: Path) -> None:
    odd = [
        {"question": f"Q{n}?", "answer": text}
        for n, text in enumerate(["Two words", "w " * 30, "See our web site now"])
    ]
    write_lines(tmp_path / "qa.jsonl", [*questions(10), *odd])
    rules = {"fewest_words": 3, "most_words": 20, "boilerplate": ["our web site"]}
    entries = list(read(chat_stage({**OPEN, **rules}).data[0], tmp_path))
    reasons = ["answer of fewer than 3 words", "answer of more than 20 words", "boilerplate: our web site"]
    assert [entry.reason for entry in entries if isinstance(entry, LeftOut)] == reasons
    _, report = build(chat_stage({**OPEN, **rules}), scratch_base, tmp_path, seed=0)
    assert (report.documents, report.left_out) == (10, dict.fromkeys(reasons, 1))


def test_a_completion_stage_learns_questions_whole(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(20))
    write_lines(tmp_path / "text.jsonl", texts(20))
    rows, _ = build(completion_stage(TEXT, OPEN, packing=False), scratch_base, tmp_path, seed=0)
    tokenizer = ChatTokenizer(scratch_base)
    row = next(row for row in rows.train if row.ids[0].startswith("qa"))
    number = int(row.ids[0].split(":")[1]) - 1
    document = [*read(chat_stage(OPEN).data[0], tmp_path)][number]
    assert isinstance(document, Exchange)
    ids, _ = tokenizer.example(document.messages, document.answer)
    assert row.input_ids.tolist() == ids
    assert learned(row) == ids[1:]


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_share_is_met_by_a_part_or_by_repeats(share: float, scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(40))
    write_lines(tmp_path / "text.jsonl", texts(60))
    stage = completion_stage(TEXT, {**OPEN, "share": share})
    rows, report = build(stage, scratch_base, tmp_path, seed=0)
    text, open_ = report.sources
    assert open_.tokens / report.tokens == pytest.approx(share, abs=0.02)
    assert text.tokens + open_.tokens == report.tokens
    counts = ids_of(rows.train)
    times = {count for id_, count in counts.items() if id_.startswith("qa")}
    assert max(times) - min(times) <= 1
    assert {count for id_, count in counts.items() if id_.startswith("text")} == {1}


def test_what_is_withheld_is_the_same_in_every_stage_and_never_trained_on(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", questions(120))
    write_lines(tmp_path / "text.jsonl", texts(20))
    entry = {**OPEN, "held_out": 0.2, "group": ["doc"]}
    first, _ = build(completion_stage(TEXT, entry), scratch_base, tmp_path, seed=5)
    second, _ = build(chat_stage(entry), scratch_base, tmp_path, seed=5)
    withheld = {id_ for id_ in ids_of(first.held_out) if id_.startswith("qa")}
    assert withheld == set(ids_of(second.held_out))
    assert 10 < len(withheld) < 45
    assert not withheld & (set(ids_of(first.train)) | set(ids_of(second.train)))
    groups = {id_: (int(id_.split(":")[1]) - 1) // 3 for id_ in (*ids_of(second.held_out), *ids_of(second.train))}
    assert {groups[id_] for id_ in withheld}.isdisjoint(groups[id_] for id_ in ids_of(second.train))


def test_equal_questions_join_their_documents() -> None:
    def one(id_: str, question: str, group: str) -> Exchange:
        return Exchange(id_, Path("f"), "f", question, asked(question), "x", group=group)

    documents = [one("a", "Why?", "1"), one("b", "How?", "1"), one("c", "how", "2"), one("d", "When?", "2")]
    sizes = {len(reserved(documents, 0.5, seed)) for seed in range(20)}
    assert sizes == {0, 4}
