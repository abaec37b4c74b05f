"""The installed command, killed and stopped in the middle of a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from medlora_edge.bench import journal
from tests.bench.samples import record, write_records

PROGRAM = (sys.executable, "-m", "medlora_edge")
PATIENCE_SECONDS = 120

# The program, but behind so many answers it stands still until a file is there: it is never done before it is killed.
HELD = """
import sys, time
from pathlib import Path
from medlora_edge.bench.journal import Journal
from medlora_edge.cli import main

append, left, go_on = Journal.append, int(sys.argv.pop(1)), Path(sys.argv.pop(1))

def holding(lines, sample):
    global left
    append(lines, sample)
    left -= 1
    while left <= 0 and not go_on.exists():
        time.sleep(0.01)

Journal.append = holding
main.main()
"""


@pytest.fixture
def command(tiny_gguf: Path) -> tuple[str, ...]:
    options = ("--mode", "score", "--limit", "14", "--threads", "1", "--json")
    return (*PROGRAM, "bench", "pubmedqa", "--model", str(tiny_gguf), *options)


def run(*command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def begin(*command: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def held(answers: int, go_on: Path, command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """The command, begun; it goes on behind so many answers once `go_on` exists."""
    arguments = command[len(PROGRAM) :]
    return begin(sys.executable, "-c", HELD, str(answers), str(go_on), *arguments, "--out", str(folder))


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.005)


def lines_in(folder: Path) -> int:
    path = folder / journal.NAME
    return path.read_bytes().count(b"\n") if path.exists() else 0


def labels(folder: Path) -> dict[str, Any]:
    samples = journal.read(folder / journal.NAME)
    return {id_: (one.strict_label, one.label_logprobs, one.prompt_sha256) for id_, one in samples.items()}


def test_parent_killed_mid_run(command: tuple[str, ...], tmp_path: Path) -> None:
    unbroken = json.loads(run(*command, "--out", str(tmp_path / "unbroken")).stdout)
    broken = tmp_path / "broken"
    for answers, wanted in ((3, 3), (4, 7)):
        process = held(answers, tmp_path / "never", command, broken)
        wait_until(lambda: lines_in(broken) == wanted, process)  # noqa: B023 - called before the next round
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.communicate()
        psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
        assert not any(child.is_running() for child in children)
        assert lines_in(broken) == wanted
    resumed = json.loads(run(*command, "--out", str(broken)).stdout)
    assert resumed["metrics"] == unbroken["metrics"]
    assert resumed["card"]["resolved"] == unbroken["card"]["resolved"]
    assert labels(broken) == labels(tmp_path / "unbroken")


def test_engine_killed_mid_run(command: tuple[str, ...], tmp_path: Path) -> None:
    unbroken = json.loads(run(*command, "--out", str(tmp_path / "unbroken")).stdout)
    broken, go_on = tmp_path / "broken", tmp_path / "go-on"
    process = held(3, go_on, command, broken)
    wait_until(lambda: lines_in(broken) == 3, process)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    go_on.touch()
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert json.loads(out)["metrics"] == unbroken["metrics"]
    assert labels(broken) == labels(tmp_path / "unbroken")


def test_ctrl_c_keeps_what_is_done_and_tells_how_to_go_on(command: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = held(3, tmp_path / "never", command, folder)
    wait_until(lambda: lines_in(folder) == 3, process)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, errors
    assert out == ""
    assert "Traceback" not in errors
    assert f"--out {folder}" in errors
    assert lines_in(folder) >= 3
    assert json.loads(run(*command, "--out", str(folder)).stdout)["metrics"]["n"] == 14


def test_two_runs_on_one_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    folder, go_on = tmp_path / "run", tmp_path / "go-on"
    process = held(1, go_on, command, folder)
    wait_until(lambda: lines_in(folder) == 1, process)
    second = run(*command, "--out", str(folder), code=8)
    go_on.touch()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert "in use" in second.stderr
    assert process.returncode == 0


def test_the_same_command_finds_its_folder_again(
    command: tuple[str, ...], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(*command, "--limit", "4")
    again = run(*command, "--limit", "4")
    assert "this run is finished" in again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
    (folder,) = (home / "data" / "runs").iterdir()
    run(*command, "--limit", "5")
    assert len([*(home / "data" / "runs").iterdir()]) == 2
    rescored = json.loads(run(*PROGRAM, "bench", "rescore", folder.name, "--json").stdout)
    assert rescored == json.loads(first.stdout)
    compared = run(*PROGRAM, "bench", "compare", folder.name, str(folder), "--json")
    assert json.loads(compared.stdout)["mcnemar_p"] == 1.0
    monkeypatch.setenv("COLUMNS", "120")
    assert folder.name in run(*PROGRAM, "bench", "list").stdout
    assert "UNTRAINED" in run(*command[:-1], "--limit", "4").stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--data", "missing.json"), 2, "no such file"),
        (("--data", "bad.json"), 3, "record 'x'"),
        (("--data", "good.json", "--split", "test"), 2, "--split all"),
        (("--parallel", "many"), 2, "--parallel"),
        (("--parallel", "0"), 2, "--parallel"),
        (("--threads", "0"), 2, "--threads"),
        (("--limit", "0"), 2, "limit"),
        (("--top-p", "7"), 2, "--top-p"),
        (("--mode", "guess"), 2, "mode"),
        (("--out", "/dev/null/run"), 4, "/dev/null"),
        (("--out", "good.json"), 4, "good.json"),
    ],
)
def test_bad_input(
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(tmp_path / "good.json", {"x": record()})
    write_records(tmp_path / "bad.json", {"x": record(final_decision="unsure")})
    done = run(*command, *options, code=code)
    assert words in done.stderr
    assert done.stdout == ""


def test_import_command(tmp_path: Path) -> None:
    path = write_records(tmp_path / "one.json", {"x": record()})
    done = run(*PROGRAM, "data", "import", "pubmedqa", str(path), code=3)
    assert "1,000" in done.stderr
    run(*PROGRAM, "data", "import", "pubmedqa", str(path), str(path), code=2)
