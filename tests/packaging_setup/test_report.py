"""The report as files that overwrite nothing, and as a page that is safe to open, complete, and printable."""

import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from medlora_setup.errors import Code, SetupError
from medlora_setup.qualification import Check, Outcome, Qualification
from medlora_setup.report import filed
from medlora_setup.report_page import page

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"
PASSED = Check("Signature", "It was verified.", "Valid.", Outcome.PASSED)


def qualification(*checks: Check, text: str = "plain") -> Qualification:
    return Qualification(
        product="medlora-edge",
        version="0.1.0",
        serial=5,
        date="2026-11-20 21:00:00 UTC",
        identity=(("Installed in", text), ("Key fingerprint", "50d4 b70b")),
        machine=((text, text),),
        models=(("starter", text),),
        checks=checks or (PASSED,),
        bench=(("Accuracy", text),),
    )


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_runs_and_fetches_nothing_whatever_it_is_about() -> None:
    hostile = Check(HOSTILE, HOSTILE, HOSTILE, Outcome.FAILED)
    text = page(qualification(hostile, text=HOSTILE), HOSTILE, "00")
    seen, plain = Tags(text), Tags(page(qualification(PASSED), "x", "00"))
    assert seen.tags == plain.tags
    assert seen.attributes == {"lang", "charset", "class"}
    assert not re.search(r"url\(|@import|https?:|javascript:", text)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert seen.text.count("<script>alert(1)</script>\"'&") == 9


def test_the_page_has_all_that_is_filed() -> None:
    unable = Check("Network", "Asked for.", "Not allowed.", Outcome.NOT_POSSIBLE)
    said = Tags(page(qualification(PASSED, unable), "report.json", "ab" * 32)).text
    for words in (
        "Installation qualification", "medlora-edge 0.1.0, serial 5", "2026-11-20 21:00:00 UTC", "50d4 b70b",
        "It was verified.", "Valid.", "✓ passed", "○ not possible here", "report.json", "ab" * 32,
        "Name and function", "Date", "Signature", "Passed as far as it could be checked: 1 of 2 checks passed",
    ):  # fmt: skip
        assert words in said
    assert "size: A4" in said
    assert "break-inside: avoid" in said


def test_the_verdict_counts() -> None:
    failed = Check("Answer", "Asked.", "None.", Outcome.FAILED)
    assert qualification(PASSED, PASSED).verdict == "Passed: 2 of 2 checks passed"
    assert qualification(PASSED, failed).verdict == "Failed: 1 of 2 checks passed, 1 failed"


def test_the_page_is_tied_to_the_record(tmp_path: Path) -> None:
    with filed(tmp_path / "mine.html", "unused") as filing:
        done = filing.write(qualification())
    assert (done.record, done.page) == (tmp_path / "mine.json", tmp_path / "mine.html")
    assert sha256(done.record.read_bytes()).hexdigest() in done.page.read_text(encoding="utf-8")


def test_a_name_with_dots_is_kept(tmp_path: Path) -> None:
    with filed(tmp_path / "ward 3.1", "unused") as filing:
        assert filing.write(qualification()).page == tmp_path / "ward 3.1.html"


@pytest.mark.parametrize("taken", ["mine.json", "mine.html"])
def test_nothing_is_overwritten_and_nothing_left(taken: str, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("another")
    with pytest.raises(SetupError) as refused, filed(tmp_path / "mine", "unused"):
        raise AssertionError
    assert refused.value.code == Code.USAGE
    assert str(tmp_path / taken) in str(refused.value)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(taken, "another")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused, filed(tmp_path / "no" / "mine", "unused"):
        raise AssertionError
    assert refused.value.code == Code.USAGE
    assert str(tmp_path / "no") in str(refused.value)


def test_a_full_disk_is_said_and_nothing_left(tmp_path: Path) -> None:
    with (
        pytest.raises(SetupError) as refused,
        Path("/dev/full").open("wb") as full,
        filed(tmp_path, "mine") as filing,
    ):
        replace(filing, page_stream=full).write(qualification())
    assert refused.value.code == Code.RESOURCES
    assert str(tmp_path / "mine.html") in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_qualification_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), filed(tmp_path, "mine") as filing:
        assert filing.page.exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
