"""`medlora-build preview`: what a stage will learn, token by token."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from build_tools.cli.arguments import RecipeFile
from medlora_edge.errors import UsageError

if TYPE_CHECKING:
    from build_tools.recipe import Recipe
    from build_tools.recipe.schema import ChatStage, CompletionStage

StageName = Annotated[str | None, typer.Option("--stage", metavar="NAME", help="A stage; by default the last one.")]
Rows = Annotated[int, typer.Option("--rows", min=1, help="How many rows to show.")]


def preview(recipe: RecipeFile, *, stage: StageName = None, rows: Rows = 1) -> None:
    """Show the first rows of a stage: each token with its id, learned or only read, and the totals."""
    from build_tools.recipe import load

    loaded = load(recipe)
    chosen = _stage(loaded, stage)

    from build_tools.data.preview import preview as preview_rows
    from build_tools.data.preview import render
    from medlora_edge.cli.console import console

    with tempfile.TemporaryDirectory() as workplace:
        base = _base(loaded, recipe.parent, Path(workplace) / "base")
        shown = preview_rows(chosen, base, recipe.parent, rows=rows, seed=loaded.seed)
    console().print(render(shown))


def _stage(recipe: "Recipe", name: str | None) -> "CompletionStage | ChatStage":
    found = [stage for stage in recipe.stages if name in (None, stage.name)]
    if not found:
        names = ", ".join(stage.name for stage in recipe.stages)
        raise UsageError(f"the recipe has no stage {name!r}", fix=f"one of {names}")
    return found[-1]


def _base(recipe: "Recipe", recipe_folder: Path, folder: Path) -> Path:
    """The base as training will get it; one from scratch, or with another chat template, is made in `folder`."""
    from build_tools.bases.prepare import prepare
    from build_tools.bases.resolve import resolve
    from build_tools.bases.scratch import make
    from build_tools.data.sources import texts

    if recipe.base.scratch:
        make(recipe.base.scratch, texts(recipe.stages[0], recipe_folder), folder, seed=recipe.seed)
    elif found := resolve(recipe.base, recipe_folder):
        return prepare(recipe.base, recipe_folder, found, folder)
    return folder
