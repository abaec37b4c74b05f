"""`medlora-edge bench`: measure a model, recompute, compare and list runs."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge.bench.kinds import Mode, Split
from medlora_edge.errors import StoppedError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from medlora_edge.bench.job import Job
    from medlora_edge.bench.schema import Results

app = typer.Typer(help="Measure a model on this machine.", no_args_is_help=True)

SAMPLING = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Run = Annotated[str, typer.Argument(help="A run: its folder, or its name in `bench list`.")]
OtherRun = Annotated[str, typer.Argument(help="Another run, or the words always-yes.")]

ModelName = Annotated[str | None, typer.Option(help="Name of an installed model, or a GGUF file.")]
AdapterFile = Annotated[Path | None, typer.Option(help="LoRA adapter made for the model, a GGUF file.")]
Data = Annotated[Path | None, typer.Option(help="A file of PubMedQA's form, plain or .gz.")]
SplitName = Annotated[Split | None, typer.Option(help="Which items; test unless the data has no test items.")]
ModeName = Annotated[Mode, typer.Option(help="How an answer is had from the model.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only N questions, labels in proportion.")]
Parallel = Annotated[str, typer.Option(help="Questions side by side, 1 to 64, or auto.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the run; every question has its own from it.")]
Full = Annotated[bool, typer.Option("--full", help="Mode generate: do not stop at a decided label.")]
Out = Annotated[Path | None, typer.Option(help="Run folder. Unless given: one that belongs to these options.")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest token.")]
TopK = Annotated[int, typer.Option(help="Sample among the K likeliest tokens; 0: all.")]
TopP = Annotated[float, typer.Option(help="Sample among the likeliest tokens that sum to P.")]
MinP = Annotated[float, typer.Option(help="Sample among tokens at least P times as likely as the first.")]
RepeatPenalty = Annotated[float, typer.Option(help="Above 1: repeat less.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Longest answer.")]
Context = Annotated[int | None, typer.Option(min=1, help="Most tokens of one question with its answer.")]
Threads = Annotated[str | None, typer.Option(help="Processor threads, or auto; else as in the settings.")]


@app.command()
def pubmedqa(
    *,
    model: ModelName = None,
    adapter: AdapterFile = None,
    data: Data = None,
    split: SplitName = None,
    mode: ModeName = Mode.GENERATE,
    limit: Limit = None,
    parallel: Parallel = "auto",
    seed: Seed = 0,
    full: Full = False,
    out: Out = None,
    temperature: Temperature = 0.2,
    top_k: TopK = 40,
    top_p: TopP = 0.95,
    min_p: MinP = 0.05,
    repeat_penalty: RepeatPenalty = 1.0,
    max_tokens: MaxTokens = 256,
    context: Context = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Answer PubMedQA's yes / no / maybe questions; report accuracy, valid response rate and speed.

    Ctrl+C stops and keeps what is answered; the same command goes on from there.
    """
    from medlora_edge.bench.begin import job_for
    from medlora_edge.bench.library import choose

    sampling = dict(zip(SAMPLING, (temperature, top_k, top_p, min_p, repeat_penalty), strict=True))
    run = {"mode": mode, "limit": limit, "parallel": parallel, "seed": seed, "full": full}
    answer = {"max_tokens": max_tokens, "context": context, "sampling": sampling}
    options = {**run, **answer, **({"threads": threads} if threads else {})}
    job = job_for(options, model=model, dataset=choose(data), adapter=adapter, split=split)
    _show(_run(job, out), as_json=as_json)


@app.command()
def rescore(run: Run, *, as_json: Json = False) -> None:
    """Read the answers of a run again and recompute every number, without a model."""
    from medlora_edge.bench import runfolder
    from medlora_edge.bench.results import compute

    folder = runfolder.find(run)
    runfolder.require_card(folder)  # `hold` would make the folder
    with runfolder.hold(folder):
        card, samples = runfolder.load(folder)
        results = compute(card, samples)
        runfolder.write(folder, results)
    _show(results, as_json=as_json)


@app.command()
def compare(a: Run, b: OtherRun, *, as_json: Json = False) -> None:
    """Compare two runs over the same items: who is right where, and could it be chance."""
    from medlora_edge.bench import runfolder
    from medlora_edge.bench.compare import ALWAYS_YES, always
    from medlora_edge.bench.compare import compare as compare_runs
    from medlora_edge.bench.comparison import report_comparison
    from medlora_edge.cli.console import console
    from medlora_edge.cli.report import print_report

    run = runfolder.load(runfolder.find(a))
    other = always("yes", run) if b == ALWAYS_YES else runfolder.load(runfolder.find(b))
    comparison = compare_runs(run, other)
    if as_json:
        _print_json(comparison)
    else:
        print_report(report_comparison(comparison), console())


@app.command("list")
def list_() -> None:
    """List the runs in the default place."""
    from medlora_edge.cli.console import console
    from medlora_edge.cli.report import print_runs

    print_runs(console())


def _run(job: "Job", out: Path | None) -> "Results":
    from medlora_edge import paths
    from medlora_edge.bench.begin import measure
    from medlora_edge.bench.job import is_finished
    from medlora_edge.cli.progress import Progress
    from medlora_edge.engine import Engine
    from medlora_edge.privacy import clean

    folder = out or paths.runs_dir() / job.folder_name
    say = "this run is finished, here is its report" if is_finished(job, folder) else "run folder"
    print(clean(f"{say}: {folder}"), file=sys.stderr)
    try:
        with Progress() as progress, Engine() as engine:
            return measure(job, folder, engine, progress)
    except KeyboardInterrupt as error:
        again = shlex.join(["medlora-edge", *sys.argv[1:]])
        raise StoppedError("stopped; what is answered is kept", where=str(folder), fix=f"go on: {again}") from error


def _show(results: "Results", *, as_json: bool) -> None:
    from medlora_edge.bench.report import report
    from medlora_edge.cli.console import console
    from medlora_edge.cli.report import print_report

    if as_json:
        _print_json(results)
    else:
        print_report(report(results), console())


def _print_json(document: "BaseModel") -> None:
    print(document.model_dump_json(indent=1))
