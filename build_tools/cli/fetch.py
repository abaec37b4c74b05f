"""`medlora-build fetch`: brings a recipe's base, or the converter. The only command that uses a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge.errors import UsageError
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from build_tools.recipe.schema import Base

CONVERTER = "converter"

What = Annotated[str, typer.Argument(metavar=f"RECIPE|{CONVERTER}", help="A recipe, or the word converter.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def fetch(what: What, *, yes: Yes = False) -> None:
    """Download a recipe's base from Hugging Face, or llama.cpp's converter. The only command that uses a network."""
    if what == CONVERTER:
        from build_tools.gguf.converter import fetch as fetch_converter

        typer.echo(clean(f"converter: {fetch_converter()}"))
        return
    from build_tools.recipe import load

    recipe = load(Path(what), planned=True)
    if not recipe.base.hub:
        raise UsageError("this recipe's base is not on Hugging Face: nothing to fetch", where=what)
    typer.echo(clean(f"base: {_fetch_base(recipe.base, yes=yes)}"))


def _fetch_base(base: "Base", *, yes: bool) -> Path:
    from build_tools.bases.fetch import fetch as download
    from build_tools.bases.fetch import look_up
    from medlora_edge.models.units import size_text

    offer = look_up(base)
    typer.echo(clean(f"{offer.repo} at {offer.revision[:12]}"), err=True)
    typer.echo(clean(f"size {size_text(offer.size_bytes)}, licence {offer.licence or 'not stated'}"), err=True)
    if not yes:
        typer.confirm("Download it?", abort=True, err=True)
    return download(offer)
