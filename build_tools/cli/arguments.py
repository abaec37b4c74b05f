"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe: a .yaml file.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Run folder. Unless given: medlora-runs/NAME-HASH.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse to resume beside a damaged checkpoint, instead of passing it over.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
