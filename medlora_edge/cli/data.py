"""`medlora-edge data`: public data sets that are measured on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medlora_edge.errors import UsageError

app = typer.Typer(help="Import public data sets.", no_args_is_help=True)


class Name(StrEnum):
    """Data sets that can be imported."""

    PUBMEDQA = "pubmedqa"


@app.command("import")
def import_(
    name: Annotated[Name, typer.Argument(help="Which data set.")],
    files: Annotated[list[Path], typer.Argument(help="Its official file: ori_pqal.json, also .gz.")],
) -> None:
    """Check an official file and keep a copy for `bench`."""
    from medlora_edge.bench.library import install
    from medlora_edge.privacy import clean

    if len(files) > 1:
        raise UsageError("PubMedQA is one file", fix="give ori_pqal.json or ori_pqal.json.gz alone")
    typer.echo(clean(f"{name}: 1,000 records, the official file; kept in {install(files[0])}"))


@app.callback()
def _group() -> None:
    """Keep `import` a subcommand while it is the only one."""
