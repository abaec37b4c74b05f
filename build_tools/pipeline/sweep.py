"""Tries every combination of a sweep file, one run after another; one that fails does not stop the others."""

import gc
import sys
from pathlib import Path

from pydantic import ValidationError

from build_tools.pipeline.run import Phase, run
from build_tools.pipeline.runfolder import RUNS
from build_tools.pipeline.step import Say, silent
from build_tools.pipeline.sweep_file import Sweep, Trial, read_sweep, said
from build_tools.pipeline.sweep_table import TrialResult, figures, write_tables
from build_tools.training.watcher import Watcher
from medlora_edge.errors import ExitCode, MedloraError, ResourceError, StoppedError
from medlora_edge.files import exclusive, write_atomic

RESULTS = "results"
TRY_AGAIN = {ExitCode.UNEXPECTED, ExitCode.RESOURCES, ExitCode.IN_USE}  # the machine's doing, not the recipe's


def sweep(path: Path, out: Path | None = None, *, watcher: Watcher | None = None, say: Say | None = None) -> Path:
    """Run all trials that have no result yet, and keep `table.csv`, `.json`, `.md` current; the sweep's folder.

    Trials are known by the content of their recipe and data, so a longer sweep file takes over what was done for a
    shorter one. A trial that failed is recorded with its words, and tried again only when the machine was to blame.
    Raises RecipeError (exit 2) for any bad combination before anything runs, StoppedError, InUseError, ResourceError.
    """
    plan, say = read_sweep(path), say or silent
    folder = out or RUNS / f"sweep-{path.stem}"
    results = folder / RESULTS
    try:
        for place in (folder, results):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(results / ".lock", what="this sweep folder"):
            _run_all(plan, folder, watcher, say)
    except OSError as error:
        fix = "free space, or give another folder with --out; finished runs are kept"
        raise ResourceError(f"the sweep cannot be written: {error.strerror}", where=str(folder), fix=fix) from error
    return folder


def _run_all(plan: Sweep, folder: Path, watcher: Watcher | None, say: Say) -> None:
    results: list[TrialResult] = []
    for number, trial in enumerate(plan.trials, start=1):
        title = f"run {number} of {len(plan.trials)}, {trial.id} ({said(trial.overrides)})"
        result = _known(folder, trial, plan.upto)
        if result:
            say(f"{title}: {result.status} before, skipped")
        else:
            say(f"{title}: begun")
            result = _attempt(plan, trial, folder, watcher, say)
            write_atomic(_place(folder, trial), result.model_dump_json(indent=1).encode() + b"\n")
            say(f"{title}: {result.status}{f': {result.error}' if result.error else ''}")
        results.append(result)
        write_tables(folder, plan.keys, results)


def _place(folder: Path, trial: Trial) -> Path:
    return folder / RESULTS / f"{trial.id}.json"


def _known(folder: Path, trial: Trial, upto: Phase) -> TrialResult | None:
    """The result of an earlier attempt that went as far and stands."""
    try:
        result = TrialResult.model_validate_json(_place(folder, trial).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    stands = result.status == "done" or result.exit_code not in TRY_AGAIN
    return result if stands and result.upto == upto else None


def _attempt(plan: Sweep, trial: Trial, folder: Path, watcher: Watcher | None, say: Say) -> TrialResult:
    place, error, code = folder / trial.id, "", ExitCode.DONE
    try:
        run(trial.recipe, plan.recipe_folder, out=place, upto=plan.upto, watcher=watcher, say=say)
    except StoppedError:
        raise
    except MedloraError as problem:
        error, code = problem.what, problem.code
    except Exception as problem:  # noqa: BLE001 - the border of one trial: the others go on
        error, code = f"{type(problem).__name__}: {problem}", ExitCode.UNEXPECTED
    _let_go()
    return TrialResult(
        id=trial.id,
        overrides=trial.overrides,
        upto=plan.upto,
        status="failed" if error else "done",
        error=error,
        exit_code=code,
        **(figures(place) if place.is_dir() else {}),
    )


def _let_go() -> None:
    """Give the memory of one trial back before the next."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()
