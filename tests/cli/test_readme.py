"""The README's table of commands is the program's."""

import re
from pathlib import Path

import typer

from medlora_edge.cli.main import app
from medlora_edge.errors import ExitCode

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def commands(group: typer.Typer, prefix: str = "") -> set[str]:
    own = {
        f"{prefix}{command.name or command.callback.__name__}"
        for command in group.registered_commands
        if command.callback
    }
    below = (commands(sub.typer_instance, f"{sub.name} ") for sub in group.registered_groups if sub.typer_instance)
    return own.union(*below)


def test_every_command_is_in_the_table_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([a-z -]+)` \| [a-z]", README, re.MULTILINE)) - {"generate", "constrained", "score"}
    assert listed == commands(app)


def test_exit_codes_named_are_the_programs() -> None:
    sentence = README.split("Exit codes:")[1].split(".")[0]
    assert {int(code) for code in re.findall(r"\b\d+\b", sentence)} <= {code.value for code in ExitCode}
