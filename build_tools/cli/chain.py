"""`medlora-build run` and its parts: each does what is still missing up to its point, and skips what is done."""

import shlex
import sys
from pathlib import Path

from build_tools.cli.arguments import Out, RecipeFile, Strict
from medlora_edge.errors import StoppedError
from medlora_edge.privacy import clean


def run(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Do the whole chain: data, training, merge, GGUF, quantising, gates, model card.

    Ctrl+C stops and keeps what is done; the same command goes on from there.
    """
    _go(recipe, out, None, strict=strict)


def train(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Prepare the data and train every stage."""
    _go(recipe, out, "train", strict=strict)


def merge(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Merge the adapters into the weights, and prove that the merged model is the trained one."""
    _go(recipe, out, "merge", strict=strict)


def export(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Convert the merged model to an F16 GGUF, and prove that llama.cpp computes the same."""
    _go(recipe, out, "export", strict=strict)


def quantize(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Quantise the F16 GGUF to the recipe's type."""
    _go(recipe, out, "quantize", strict=strict)


def gate(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Measure what quantising cost, and show every gate's figures beside their limits."""
    _go(recipe, out, "gate", strict=strict)


def card(recipe: RecipeFile, *, out: Out = None, strict: Strict = False) -> None:
    """Write the result folder: GGUF, manifest and model card."""
    _go(recipe, out, "card", strict=strict)


def _go(file: Path, out: Path | None, upto: str | None, *, strict: bool) -> None:
    from build_tools.recipe import load

    recipe = load(file)  # before anything heavy is imported, so that a mistake shows at once

    from build_tools.cli.bar import Bar
    from build_tools.pipeline import run as chain

    phase = chain.Phase(upto) if upto else None
    try:
        with Bar() as bar:
            folder = chain.run(recipe, file.parent, out=out, upto=phase, watcher=bar, say=bar.note, strict=strict)
    except KeyboardInterrupt as error:
        again = shlex.join(["medlora-build", *sys.argv[1:]])
        raise StoppedError("stopped; finished steps are kept", fix=f"go on: {again}") from error
    _show(folder)


def _show(folder: Path) -> None:
    """Every gate's figures, and what can be done with the result where there is one."""
    from build_tools.pipeline import runfolder

    records = runfolder.records(folder)
    for record in records.values():
        for report in record.gates:
            print(clean(f"{record.step}: gate of {report.hop} {'passed' if report.passed else 'MISSED'}"))
            for measure in report.measures:
                print(clean(f"  {measure}"))
    print(clean(f"run folder: {folder}"))
    files = sorted((folder / "result").glob("*.gguf")) if "result" in records else []
    for file in files:
        print(clean(f"install it: medlora-edge models add {shlex.quote(str(file))}"))
