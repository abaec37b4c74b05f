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
    from medlora_edge.bench.job import make_job, parse_settings
    from medlora_edge.bench.library import choose
    from medlora_edge.models import find, find_adapter
    from medlora_edge.settings import load_settings

    sampling = dict(zip(SAMPLING, (temperature, top_k, top_p, min_p, repeat_penalty), strict=True))
    run = {"mode": mode, "limit": limit, "parallel": parallel, "seed": seed, "full": full}
    answer = {"max_tokens": max_tokens, "context": context, "sampling": sampling}
    engine = load_settings().engine.model_dump(include={"threads", "gpu_layers", "kv_type"})
    settings = parse_settings({**run, **answer, **engine, **({"threads": threads} if threads else {})})
    measured = find(model)
    fitted = find_adapter(adapter, measured) if adapter else None
    job = make_job(measured, choose(data), settings, split, fitted)
    _show(_run(job, out), as_json=as_json)


@app.command()
def rescore(run: Run, *, as_json: Json = False) -> None:
    """Read the answers of a run again and recompute every number, without a model."""
    from medlora_edge.bench import runfolder
    from medlora_edge.bench.results import compute

    folder = runfolder.find(run)
    card, samples = runfolder.load(folder)
    with runfolder.hold(folder):
        results = compute(card, samples)
        runfolder.write(folder, results)
    _show(results, as_json=as_json)


@app.command()
def compare(a: Run, b: Run, *, as_json: Json = False) -> None:
    """Compare two runs over the same items: who is right where, and could it be chance."""
    from medlora_edge.bench import runfolder
    from medlora_edge.bench.compare import compare as compare_runs
    from medlora_edge.bench.tables import show_comparison
    from medlora_edge.cli.console import console

    comparison = compare_runs(*(runfolder.load(runfolder.find(name)) for name in (a, b)))
    if as_json:
        _print_json(comparison)
    else:
        show_comparison(comparison, console())


@app.command("list")
def list_() -> None:
    """List the runs in the default place."""
    from medlora_edge.bench.tables import show_runs
    from medlora_edge.cli.console import console

    show_runs(console())


def _run(job: "Job", out: Path | None) -> "Results":
    from medlora_edge import paths
    from medlora_edge.bench.job import is_finished
    from medlora_edge.bench.progress import Progress
    from medlora_edge.bench.runner import run
    from medlora_edge.engine import Engine
    from medlora_edge.models import verify
    from medlora_edge.privacy import clean

    folder = out or paths.runs_dir() / job.folder_name
    finished = is_finished(job, folder)
    say = "this run is finished, here is its report" if finished else "run folder"
    print(clean(f"{say}: {folder}"), file=sys.stderr)
    if not finished:
        verify(job.model)
    try:
        with Progress() as progress, Engine() as engine:
            return run(job, folder, engine, progress)
    except KeyboardInterrupt as error:
        again = shlex.join(["medlora-edge", *sys.argv[1:]])
        raise StoppedError("stopped; what is answered is kept", where=str(folder), fix=f"go on: {again}") from error


def _show(results: "Results", *, as_json: bool) -> None:
    from medlora_edge.bench.report import show
    from medlora_edge.cli.console import console

    if as_json:
        _print_json(results)
    else:
        show(results, console())


def _print_json(document: "BaseModel") -> None:
    print(document.model_dump_json(indent=1))
