"""The journal: torn lines, last line wins, full disks."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.bench import journal
from medlora_edge.bench.journal import Journal
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from tests.bench.samples import sample


def written(path: Path) -> bytes:
    with Journal(path) as lines:
        for id_ in ("1", "2", "3"):
            lines.append(sample(id_, "yes", "no", response="No § \u2028 and\nmore"))
    return path.read_bytes()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    assert written(path).count(b"\n") == 3
    read = journal.read(path)
    assert list(read) == ["1", "2", "3"]
    assert read["2"].response == "No § \u2028 and\nmore"
    assert read["2"].elapsed_seconds >= 0
    assert path.stat().st_mode & 0o077 == 0


def test_the_last_line_of_an_id_wins(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    with Journal(path) as lines:
        lines.append(sample("1", "yes", None))
        lines.append(sample("1", "yes", "yes"))
    assert journal.read(path)["1"].strict_label == "yes"


def test_a_file_cut_anywhere_loses_at_most_the_torn_line(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    content = written(path)
    for cut in range(len(content)):
        whole = content[:cut].count(b"\n")
        assert len(journal.parse(content[:cut], "here")) == whole
    path.write_bytes(content[:-20] + b"\0" * 50)
    with Journal(path) as lines:
        lines.append(sample("4", "no", "no"))
    assert list(journal.read(path)) == ["1", "2", "4"]


def test_a_foreign_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    path.write_bytes(written(path) + b"garbage\n")
    with pytest.raises(CorruptError) as caught:
        journal.read(path)
    assert caught.value.where == f"{path}, line 4"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        journal.parse(content, "here")
    except CorruptError as error:
        assert error.where


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        journal.read(tmp_path / journal.NAME)


def test_a_place_that_cannot_be_written() -> None:
    with pytest.raises(ResourceError):
        Journal(Path("/dev/null/samples.jsonl"))


FILL = """
import sys
from pathlib import Path
from medlora_edge.bench.journal import Journal
from medlora_edge.errors import ResourceError
from tests.bench.samples import sample
with Journal(Path(sys.argv[1])) as lines:
    try:
        for number in range(100):
            lines.append(sample(str(number), "yes", "yes", response="x" * 300))
    except ResourceError as error:
        print(error.code.value)
"""


def test_a_full_disk_keeps_every_whole_line(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    limit = 3000
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "4\n"
    assert path.stat().st_size == limit
    assert len(journal.read(path)) == path.read_bytes().count(b"\n") > 2
