"""`medlora-build bench`: what a finished run's models are worth on the official questions, before and after tuning."""

from pathlib import Path
from typing import Annotated

import typer

from medlora_edge.privacy import clean

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")]
Data = Annotated[Path, typer.Option("--data", metavar="FILE", help="PubMedQA's ori_pqal.json, plain or gzip.")]


def bench(run: Run, *, data: Data) -> None:
    """Bench the model before tuning, the merged F16 and the one that ships, in all three modes, on PubMedQA's test.

    Ctrl+C stops and keeps what is answered; the same command goes on from there. `ship` puts the figures into the card.
    """
    from build_tools.pipeline import runfolder
    from build_tools.pipeline.measured import measured
    from build_tools.pipeline.measuring import measure
    from medlora_edge.cli.progress import Progress

    measure(run, data, Progress, lambda line: typer.echo(clean(line), err=True))
    for row in rows(measured(run, runfolder.records(run))["runs"]):
        typer.echo(row)


def rows(runs: object) -> list[str]:
    """One line a bench."""
    assert isinstance(runs, list)  # noqa: S101 - made by `measured`
    return [
        f"{one['model']:<12}{one['mode']:<13}accuracy {one['accuracy']:.3f}  macro-F1 {one['macro_f1']:.3f}  "
        f"valid {one['strict_valid_rate']:.3f}"
        for one in runs
    ]
