"""The installed program: help, exit codes, and errors in words."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from medlora_edge.errors import ExitCode
from tests.cli.program import PROGRAM, run


def test_help_names_every_command() -> None:
    shown = run("--help")
    assert shown.returncode == ExitCode.DONE
    assert "Decision support only" in shown.stdout
    for command in ("ask", "bench", "models", "data", "parse", "doctor", "paths"):
        assert command in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nonsense"], ExitCode.USAGE, "No such command"),
        (["--private", "ask", "x"], ExitCode.USAGE, "--private is for the app"),
        (["ask"], ExitCode.USAGE, "Missing argument"),
        (["ask", "x", "--temperature", "-1"], ExitCode.USAGE, "--temperature"),
        (["ask", "x", "--seed", "4294967295"], ExitCode.USAGE, "--seed"),
        (["ask", "x", "--model", "absent"], ExitCode.USAGE, "no model 'absent'"),
        (["ask", "x", "--model", "/absent/model.gguf"], ExitCode.USAGE, "/absent/model.gguf"),
        (["ask", "x", "--task", "poetry"], ExitCode.USAGE, "unknown task"),
        (["ask", "x", "--context", "/absent"], ExitCode.USAGE, "not a file"),
        (["ask", " "], ExitCode.USAGE, "question is empty"),
        (["ask", "x", "--task", "pubmedqa"], ExitCode.USAGE, "at least one context"),
        (["ask", "x", "--task", "multiple_choice"], ExitCode.USAGE, "two to ten options"),
        (["models", "info", "absent"], ExitCode.USAGE, "absent"),
        (["bench", "compare", "absent", "missing"], ExitCode.USAGE, "absent"),
        (["bench", "rescore", "absent"], ExitCode.USAGE, "absent"),
        (["bench", "pubmedqa", "--data", "/absent"], ExitCode.USAGE, "/absent"),
        (["bench", "pubmedqa", "--threads", "1000"], ExitCode.USAGE, "--threads"),
        (["data", "import", "pubmedqa", "/absent"], ExitCode.USAGE, "/absent"),
    ],
)
def test_a_mistake_has_its_code_and_its_words(
    arguments: list[str], code: ExitCode, words: str, tiny_gguf: Path
) -> None:
    needs_model = arguments[:2] == ["bench", "pubmedqa"]
    failed = run(*arguments, *(["--model", str(tiny_gguf)] if needs_model else []))
    assert failed.returncode == code, failed.stderr
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr


def test_debug_shows_the_traceback() -> None:
    failed = run("--debug", "ask", "x", "--model", "absent")
    assert "Traceback" in failed.stderr
    assert failed.returncode == ExitCode.USAGE


def test_no_model_installed_says_how_to_get_one(tmp_path: Path) -> None:
    program = "import medlora_edge.paths as p; p.shipped_models_dir = lambda: None\n"
    program += "from medlora_edge.cli.main import main; import sys; sys.argv[1:] = ['ask', 'x']; main()"
    failed = subprocess.run([PROGRAM.with_name("python"), "-c", program], capture_output=True, text=True, check=False)
    assert failed.returncode == ExitCode.USAGE
    assert "medlora-edge models add FILE" in failed.stderr


def test_broken_settings_are_named_with_their_line(tiny_gguf: Path, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.toml").write_text("[engine]\nthreads = 'all'\n")
    failed = run("ask", "x", "--model", tiny_gguf)
    assert failed.returncode == ExitCode.USAGE
    assert "line 2" in failed.stderr


def test_paths_lie_in_the_chosen_home(home: Path) -> None:
    places = json.loads(run("paths", "--json").stdout)
    assert Path(places["models"]).is_relative_to(home)
    assert Path(places["settings"]).is_relative_to(home)


def test_doctor_reports_machine_engine_and_folders() -> None:
    report = json.loads(run("doctor", "--json").stdout)
    assert "0.3.36" in report["engine"]["llama.cpp"]
    assert set(report) == {"versions", "machine", "engine", "models", "folders", "problems"}


def test_doctor_names_a_damaged_model(tiny_gguf: Path, home: Path) -> None:
    assert run("models", "add", tiny_gguf, "--name", "mine").returncode == ExitCode.DONE
    file = next((home / "data" / "models" / "mine").glob("*.gguf"))
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.unlink()
    file.write_bytes(content)
    checked = run("doctor")
    assert checked.returncode == ExitCode.UNEXPECTED
    assert "PROBLEM with model mine" in checked.stdout
    refused = run("ask", "x", "--model", "mine")
    assert refused.returncode == ExitCode.CORRUPT
    assert "Traceback" not in refused.stderr


def test_output_into_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen([PROGRAM, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout
        program.stdout.close()
        assert program.stderr
        assert b"Traceback" not in program.stderr.read()


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['medlora-edge', '--help']\n"
        "from medlora_edge.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'llama_cpp', 'numpy', 'jinja2', 'psutil', 'huggingface_hub', 'textual'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([PROGRAM.with_name("python"), "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="network namespaces are Linux's")
def test_a_bench_runs_where_there_is_no_network_at_all(tiny_gguf: Path, tmp_path: Path) -> None:
    prefix = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not allow network namespaces: the offline proof was NOT made")
    bench = [PROGRAM, "bench", "pubmedqa", "--model", tiny_gguf, "--mode", "score", "--out", tmp_path / "run"]
    command = [*prefix, *map(str, bench), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert json.loads(done.stdout)["metrics"]["n"] >= 24
