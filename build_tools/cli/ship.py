"""`medlora-build ship`: a finished run as a folder that comes with the program, or goes on a stick."""

from pathlib import Path
from typing import Annotated

import typer

from medlora_edge.privacy import clean

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")]
Out = Annotated[Path, typer.Argument(metavar="FOLDER", help="The model's folder, made anew; its name is the model's.")]


def ship(run: Run, out: Out) -> None:
    """Write GGUF, manifest and card of a finished run into a folder, with the records that `verify` needs.

    The figures of `bench` go into manifest and card. The folder is small: weights on the way stay behind.
    """
    from build_tools.pipeline.ship import ship as ship_run
    from build_tools.pipeline.verify import verify

    file = ship_run(run, out)
    files = verify(out, lambda line: typer.echo(clean(line)))
    typer.echo(clean(f"intact: {files:,} files; shipped: {file}"))
