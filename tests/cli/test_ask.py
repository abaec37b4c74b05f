"""`medlora-edge ask`: the stream, the record, what is refused, and stopping it in a real terminal."""

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question, split_options
from tests.cli.program import PROGRAM, one_thread, run


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    one_thread()


def test_the_stream_is_the_answer_and_the_notices_stand_beside_it(tiny_gguf: Path) -> None:
    asked = run("ask", "What is sepsis?", "--model", tiny_gguf, "--max-tokens", "12", "--temperature", "0")
    record = run("ask", "What is sepsis?", "--model", tiny_gguf, "--max-tokens", "12", "--temperature", "0", "--json")
    assert asked.returncode == record.returncode == ExitCode.DONE
    assert asked.stdout.strip() == clean(json.loads(record.stdout)["response"]).strip()
    assert "UNTRAINED MODEL" in asked.stderr
    assert "Decision support only" in asked.stderr
    assert "the answer was cut at --max-tokens" in asked.stderr


def test_the_record_says_what_was_asked_of_which_model(tiny_gguf: Path) -> None:
    context = "Forty adults with cough took honey or nothing; cough eased alike in both groups."
    asked = run(
        "ask", "Does honey ease cough?", "--task", "pubmedqa", "--context", "-", "--model", tiny_gguf,
        "--json", "--max-tokens", "8", "--seed", "5", stdin=context,
    )  # fmt: skip
    record = json.loads(asked.stdout)
    assert record["task"] == "pubmedqa"
    assert len(record["model"]["sha256"]) == len(record["prompt_sha256"]) == 64
    assert (record["seed"], record["temperature"], record["max_tokens"]) == (5, 0.2, 8)
    assert record["timings"]["generated_tokens"] == 8
    assert {"strict_label", "lenient_label", "reason"} <= set(record)


def test_a_verdict_follows_a_question_that_has_labels(tiny_gguf: Path) -> None:
    asked = run("ask", "Which? (A) one (B) two", "--task", "multiple_choice", "--model", tiny_gguf, "--max-tokens", "4")
    assert "verdict: " in asked.stdout


def test_a_context_that_is_no_text_is_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    binary = tmp_path / "scan.pdf"
    binary.write_bytes(b"%PDF\xff\xfe\x00")
    asked = run("ask", "x", "--context", binary, "--model", tiny_gguf)
    assert asked.returncode == ExitCode.USAGE
    assert "not UTF-8 text" in asked.stderr


def test_ctrl_c_in_a_terminal_stops_and_keeps_the_answer(tiny_gguf: Path) -> None:
    ours, theirs = pty.openpty()
    command = [str(PROGRAM), "ask", "Speak for long.", "--model", str(tiny_gguf), "--max-tokens", "3900"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as program:
        os.close(theirs)
        seen = b""
        while len(seen) < 400:
            seen += os.read(ours, 4096)
        os.killpg(program.pid, signal.SIGINT)  # what the terminal does: the whole group, the engine too
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                break
        assert program.wait(60) == ExitCode.STOPPED
    os.close(ours)
    text = seen.decode(errors="replace")
    assert "stopped; what was said is kept" in text
    assert "Traceback" not in text


def test_options_are_taken_out_of_a_pasted_question() -> None:
    def split(text: str) -> Question:
        return split_options(Question(id="x", question=text))

    lines = split("A man (A) of 50 coughs.\nWhich drug?\n(A) one\n(B) two, twice\n(C) three")
    assert lines.question == "A man (A) of 50 coughs.\nWhich drug?"
    assert dict(lines.options) == {"A": "one", "B": "two, twice", "C": "three"}
    assert dict(split("Which?\nA. one\nB. two").options) == {"A": "one", "B": "two"}
    assert dict(split("Which? A) one B) two").options) == {"A": "one", "B": "two"}
    assert split("Vitamin A. Is it good?").options == {}
    assert split("").options == {}
