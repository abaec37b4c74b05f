"""A run read from its folder, and set beside another. Reads files: call it from worker threads."""

from dataclasses import dataclass, replace
from pathlib import Path

from medlora_edge.bench import runfolder
from medlora_edge.bench.compare import always, compare
from medlora_edge.bench.comparison import report_comparison
from medlora_edge.bench.results import compute
from medlora_edge.bench.runs import listed
from medlora_edge.bench.schema import Results
from medlora_edge.bench.tabular import Report

ALWAYS_YES = "always yes, without a model"


@dataclass(frozen=True)
class Opened:
    """A run whose report is read."""

    folder: Path
    results: Results


def open_run(folder: Path) -> Opened:
    """Every number afresh from the journal, finished or not. Raises UsageError, CorruptError."""
    return Opened(folder, compute(*runfolder.load(folder)))


def comparable(opened: Opened) -> tuple[str, ...]:
    """What it may be compared with: the answer that needs no model, and runs of as many questions."""
    n = opened.results.metrics.n
    others = (run.name for run in listed() if run.done == n and run.folder != opened.folder)
    return (ALWAYS_YES, *others)


def compared(opened: Opened, other: str) -> Report:
    """A is the run that is open, B the other one. Raises UsageError where they do not compare, CorruptError."""
    run = runfolder.load(opened.folder)
    beside = always("yes", run) if other == ALWAYS_YES else runfolder.load(runfolder.find(other))
    report = report_comparison(compare(run, beside))
    return replace(report, title=f"{report.title}\nA: {opened.folder.name}\nB: {other}")
