"""The program `medlora-edge`: mounts the command groups."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from medlora_edge import __version__
from medlora_edge.cli import bench, border, data, models
from medlora_edge.cli.ask import ask
from medlora_edge.cli.doctor import doctor
from medlora_edge.cli.parse import parse
from medlora_edge.cli.paths import show_paths
from medlora_edge.cli.self_test import self_test
from medlora_edge.errors import UsageError
from medlora_edge.notice import NOTICE

ESCAPE_MILLISECONDS = "15"  # after which an Esc is the key and not the beginning of another: an answer stops at once

app = border.program("medlora-edge", f"Clinical question answering that runs entirely on this machine.\n\n{NOTICE}")

app.command()(ask)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command()(parse)
app.command()(doctor)
app.command("self-test")(self_test)
app.command("paths")(show_paths)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medlora-edge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    private: Annotated[
        bool,
        typer.Option("--private", help="Open the app with a chat that is never saved: it asks and writes nothing."),
    ] = False,
    debug: border.Debug = False,  # noqa: ARG001 - handled by its callback
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        _open_app(private=private)
    elif private:
        raise UsageError("--private is for the app", fix="leave it out: commands save no chats")


def _open_app(*, private: bool) -> None:
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        fix = "run it in a terminal; `medlora-edge --help` lists the other commands"
        raise UsageError("the app needs a terminal", fix=fix)
    from medlora_edge.settings import load_settings_or_defaults

    os.environ.setdefault("ESCDELAY", ESCAPE_MILLISECONDS)  # read by Textual when it is imported
    from medlora_edge.tui.app import run

    settings, trouble = load_settings_or_defaults()
    run(settings, private=private, troubles=[trouble] if trouble else [])


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    border.run(app)


if __name__ == "__main__":
    main()
