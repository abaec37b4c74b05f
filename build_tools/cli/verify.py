"""`medlora-build verify`: does every file of a run still belong to the chain that it records?"""

from pathlib import Path
from typing import Annotated

import typer

from medlora_edge.privacy import clean


def verify(run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or a shipped one.")]) -> None:
    """Hash every file of a run again and follow the chain from the data to the GGUF."""
    from build_tools.pipeline.verify import verify as verify_run

    files = verify_run(run, lambda line: typer.echo(clean(line)))
    typer.echo(f"intact: {files:,} files")
