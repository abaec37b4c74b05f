"""`medlora-edge parse` as a filter."""

import json
import subprocess
import sys
from typing import Any

import pytest

FILTER = [sys.executable, "-c", "from medlora_edge.cli.main import main; main()", "parse"]


def run(*lines: str | bytes) -> subprocess.CompletedProcess[bytes]:
    stdin = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    return subprocess.run(FILTER, input=stdin, capture_output=True, check=False, timeout=60)


def parsed(*records: dict[str, Any]) -> list[dict[str, Any]]:
    done = run(*(json.dumps(record) for record in records))
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_labels_are_added_and_the_rest_is_kept() -> None:
    (record,) = parsed({"task": "pubmedqa", "response": "**Yes**", "id": [1, None], "note": "\u00e9\x1b[2J\x9b"})
    assert record == {
        "task": "pubmedqa",
        "response": "**Yes**",
        "id": [1, None],
        "note": "\u00e9\x1b[2J\x9b",
        "strict_valid": False,
        "strict_label": None,
        "lenient_label": "yes",
    }


def test_options_in_every_form() -> None:
    read = parsed(
        {"task": "multiple_choice", "options": {"A": "rest", "B": "heparin"}, "response": "(B) heparin"},
        {"task": "multiple_choice", "options": {"a": "rest", "b": "heparin"}, "response": "heparin"},
        {"task": "multiple_choice", "options": ["rest", "heparin"], "response": "(C)"},
        {"task": "multiple_choice", "response": "Option E is correct"},
        {"task": "multiple_choice", "options": None, "response": None},
        {"task": "ask", "response": "Yes, it is."},
    )
    found = [(record["strict_valid"], record["strict_label"], record["lenient_label"]) for record in read]
    none = (False, None, None)
    assert found == [(True, "B", "B"), (False, None, "B"), none, (False, None, "E"), none, none]


def test_foreign_text_cannot_drive_the_terminal() -> None:
    done = run(json.dumps({"task": "ask", "response": "\x1b]0;x\x07\x9b2J\ud800"}))
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert all(byte >= 0x20 for byte in done.stdout.rstrip())


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"task": "pubmedqa"}',
        '{"task": "pubmedqa", "response": 3}',
        '{"task": "medqa", "response": "(A)"}',
        '{"task": 1, "response": "x"}',
        '{"task": "multiple_choice", "response": "x", "options": "A"}',
        '{"task": "multiple_choice", "response": "x", "options": {"A": "one", "b": 2}}',
        '{"task": "multiple_choice", "response": "x", "options": {"A": "one", "a": "two"}}',
        '{"task": "multiple_choice", "response": "x", "options": {"AB": "one"}}',
        '{"task": "multiple_choice", "response": "x", "options": []}',
        '{"task": "multiple_choice", "response": "x", "options": ' + json.dumps(["x"] * 11) + "}",
        '{"task": "pubmedqa", "response": "x", "score": NaN}',
        "[" * 100_000,
        '{"n": ' + "1" * 5000 + "}",
        b"\xff\xfe",
    ],
)
def test_a_bad_line_is_named(line: str | bytes) -> None:
    good = '{"task": "pubmedqa", "response": "no."}'
    done = run(good, "", line, good)
    assert done.returncode == 3
    assert json.loads(done.stdout)["strict_label"] == "no"
    assert b"line 3" in done.stderr
    assert b"Traceback" not in done.stderr


def test_lines_come_out_as_they_go_in() -> None:
    with subprocess.Popen(FILTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as filtering:
        assert filtering.stdin is not None
        assert filtering.stdout is not None
        for label in (b"yes", b"no"):
            filtering.stdin.write(b'{"task": "pubmedqa", "response": "' + label + b'"}\n')
            filtering.stdin.flush()
            assert json.loads(filtering.stdout.readline())["lenient_label"] == label.decode()


def test_a_closed_pipe_is_no_error() -> None:
    line = json.dumps({"task": "pubmedqa", "response": "x" * 10_000}).encode() + b"\n"
    with subprocess.Popen(FILTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as filtering:
        assert filtering.stdout is not None
        filtering.stdout.close()
        _, complaint = filtering.communicate(line * 200, timeout=60)
    assert b"Traceback" not in complaint
    assert complaint == b""
