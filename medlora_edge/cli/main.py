"""The program `medlora-edge`: mounts the command groups."""

import sys
from typing import Annotated, NoReturn

import typer

from medlora_edge import __version__
from medlora_edge.cli import bench, border, data, models
from medlora_edge.cli.ask import ask
from medlora_edge.cli.doctor import doctor
from medlora_edge.cli.parse import parse
from medlora_edge.cli.paths import show_paths
from medlora_edge.notice import NOTICE

app = border.program("medlora-edge", f"Clinical question answering that runs entirely on this machine.\n\n{NOTICE}")

app.command()(ask)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command()(parse)
app.command()(doctor)
app.command("paths")(show_paths)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medlora-edge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: border.Debug = False,  # noqa: ARG001 - handled by its callback
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        _open_app()
    else:
        typer.echo(context.get_help())


def _open_app() -> None:
    from medlora_edge.settings import load_settings
    from medlora_edge.tui.app import run

    run(load_settings().engine)


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    border.run(app)


if __name__ == "__main__":
    main()
