"""The installed program: help that loads nothing, exit codes, and errors in words."""

import subprocess
from pathlib import Path

import pytest

from build_tools.cli.main import app
from medlora_edge.errors import ExitCode
from tests.build_tools.cli.program import PROGRAM, run
from tests.build_tools.recipe.writing import changed, write

COMMANDS = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]


def test_without_arguments_it_shows_its_help() -> None:
    shown = run()
    assert shown.returncode == ExitCode.DONE
    for command in COMMANDS:
        assert f"  {command}" in shown.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['medlora-build', '--help']\n"
        "from build_tools.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pydantic', 'ruamel', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([PROGRAM.with_name("python"), "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([command, "--help"], standalone_mode=False)
    assert len(capsys.readouterr().out.split("\n\n")) >= 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command"),
        (["run"], "Missing argument 'RECIPE'"),
        (["check", "/absent.yaml"], "no such recipe"),
        (["fetch", "/absent.yaml"], "no such recipe"),
        (["verify", "/absent"], "no run here"),
        (["sweep", "/absent.yaml"], "/absent.yaml"),
    ],
)
def test_a_mistake_has_its_code_and_its_words(arguments: list[str], words: str) -> None:
    failed = run(*arguments)
    assert failed.returncode == ExitCode.USAGE, failed.stderr
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("command", ["check", "preview", "run", "train", "merge", "export", "quantize", "gate", "card"])
def test_every_command_refuses_a_bad_recipe_with_its_line(command: str, tmp_path: Path) -> None:
    path = changed(tmp_path, ("rank: 8", "rnk: 8"))
    failed = run(command, path)
    assert failed.returncode == ExitCode.USAGE
    assert f"{path}:11: stages[0].adapter.rnk: unknown key; did you mean rank?" in failed.stderr


def test_fetch_has_nothing_to_do_for_a_local_base(tmp_path: Path) -> None:
    failed = run("fetch", write(tmp_path))
    assert failed.returncode == ExitCode.USAGE
    assert "nothing to fetch" in failed.stderr


def test_preview_of_a_stage_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    failed = run("preview", write(tmp_path), "--stage", "answer")
    assert failed.returncode == ExitCode.USAGE
    assert "one of text, answers" in failed.stderr


def test_an_adapter_that_is_not_there_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    failed = run("adapter", tmp_path / "absent", tmp_path, tmp_path / "adapter.gguf")
    assert failed.returncode in {ExitCode.USAGE, ExitCode.CORRUPT}
    assert "absent" in failed.stderr
    assert not (tmp_path / "adapter.gguf").exists()
