"""`medlora-build sweep`: many runs of one recipe from one file."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from build_tools.cli.arguments import Out
from medlora_edge.errors import StoppedError
from medlora_edge.privacy import clean


def sweep(
    file: Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep: a .yaml file.")], *, out: Out = None
) -> None:
    """Run a recipe with every combination of some keys, one after the other, and tabulate the results.

    A run that fails is noted and the next one goes on; the same command does only what is missing.
    """
    from build_tools.cli.bar import Bar
    from build_tools.pipeline.sweep import sweep as run_all

    try:
        with Bar() as bar:
            folder = run_all(file, out, watcher=bar, say=bar.note)
    except KeyboardInterrupt as error:
        again = shlex.join(["medlora-build", *sys.argv[1:]])
        raise StoppedError("stopped; finished runs are kept", fix=f"go on: {again}") from error
    typer.echo(clean((folder / "table.md").read_text(encoding="utf-8")))
    typer.echo(clean(f"also as CSV and JSON in {folder}"))
