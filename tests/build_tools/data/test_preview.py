"""The preview shows what training gets, token by token, and can be read without colours."""

import io
from pathlib import Path
from typing import Literal

from rich.console import Console

from build_tools.data.build import build
from build_tools.data.preview import Preview, documents, preview, render
from build_tools.data.report import DataReport
from build_tools.data.rows import IGNORED, document, load, save
from build_tools.data.template import ChatTokenizer
from tests.build_tools.data.makers import asked, chat_stage, words, write_base, write_lines

STAGE = {"format": "question_answer", "file": "qa.jsonl"}


def printed(shown: Preview, *, colours: bool) -> str:
    stream = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    Console(file=stream, width=100, force_terminal=colours, color_system=system).print(render(shown))
    return stream.getvalue()


def test_it_matches_the_stored_labels_bit_for_bit(scratch_base: Path, tmp_path: Path) -> None:
    records = [{"question": f"Why {number}?", "answer": "Because.\nSo."} for number in range(30)]
    write_lines(tmp_path / "qa.jsonl", records)
    stage = chat_stage(STAGE)
    rows, report = build(stage, scratch_base, tmp_path, seed=0)
    save(rows, tmp_path / "rows")
    shown = preview(stage, scratch_base, tmp_path, rows=2, seed=0)
    stored = load(tmp_path / "rows").train[:2]
    tokens = [token for entry in shown.documents for token in entry.tokens]
    assert [entry.id for entry in shown.documents] == [id_ for row in stored for id_ in row.ids]
    assert [token.id for token in tokens] == [token for row in stored for token in row.input_ids.tolist()]
    assert [token.learned for token in tokens] == [label != IGNORED for row in stored for label in row.labels.tolist()]
    assert shown.report == report


def test_it_reads_the_same_without_colours(scratch_base: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "qa.jsonl", [{"question": f"Why {number}?", "answer": "Because."} for number in range(3)])
    shown = preview(chat_stage(STAGE), scratch_base, tmp_path, rows=1, seed=0)
    plain = printed(shown, colours=False)
    coloured = Console(width=100, record=True, file=io.StringIO())
    coloured.print(render(shown))
    assert plain == coloured.export_text()
    assert "\x1b[" in printed(shown, colours=True)
    assert "\x1b" not in plain


def test_snapshot(tmp_path: Path) -> None:
    vocabulary = words("user", "assistant", "Why", "Because", "?", ".", *map(str, range(4)))
    base = write_base(tmp_path / "base", vocabulary, eos_token="<|im_end|>")
    records = [{"question": f"Why {number}?", "answer": "Because."} for number in range(3)]
    write_lines(tmp_path / "qa.jsonl", [*records, {"question": "Why 3?", "answer": "Because. " * 300}])
    shown = preview(chat_stage(STAGE, limits={"untrained_rows": 0.5}), base, tmp_path, rows=1, seed=0)
    lines = [line.rstrip() for line in printed(shown, colours=False).splitlines()]
    assert lines == (Path(__file__).parent / "preview.txt").read_text(encoding="utf-8").splitlines()


def test_nothing_in_the_data_can_steer_the_terminal(scratch_base: Path) -> None:
    tokenizer = ChatTokenizer(scratch_base)
    row = document("\x1b[2Jid", *tokenizer.example(asked("\x1b]0;t\x07 \u202e [bold]\n"), "\x9b2J\r\n[red]yes é"))
    (shown,) = documents(row, tokenizer.vocabulary)
    shown_text = "".join(token.text for token in shown.tokens)
    assert shown_text.endswith("[red]yes␣<0xC3><0xA9><|im_end|>")
    assert all(token.text and "\n" not in token.text for token in shown.tokens)
    text = printed(Preview((shown,), report_of_nothing()), colours=False)
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(text)
    assert text.startswith("[2Jid: ")


def report_of_nothing() -> DataReport:
    fields = dict.fromkeys(DataReport.model_fields, 0)
    empty: dict[str, object] = {"refused": {}, "left_out": {}, "decontamination": None, "lengths": {}, "sources": ()}
    return DataReport.model_validate({**fields, **empty})
