"""Benches of a run's models on PubMedQA's official questions: before tuning, merged in F16, and the one that ships."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from build_tools.manifest import StepRecord
from build_tools.pipeline import runfolder
from build_tools.pipeline.candidates import F16
from build_tools.pipeline.step import Say
from medlora_edge import models
from medlora_edge.bench.dataset import read
from medlora_edge.bench.job import Job, make_job
from medlora_edge.bench.kinds import Mode, Split
from medlora_edge.bench.runner import Watcher, run
from medlora_edge.bench.schema import RunSettings
from medlora_edge.engine import Engine, Sampling
from medlora_edge.errors import UsageError

FOLDER = "bench"  # in the run's folder, one folder a bench
LONGEST = 128  # tokens an answer, so that the longest question fits a context of 1,024
BEFORE, MERGED, SHIPS = "before", "merged-f16", "ships"

Watch = Callable[[], AbstractContextManager[Watcher]]


def measure(folder: Path, data: Path, watch: Watch, say: Say) -> None:
    """Bench every model of a finished run in every mode; what is answered is not asked again.

    Raises UsageError (exit 2) for an unfinished run or data without the official test questions; as `bench.runner.run`.
    """
    dataset = read(data)
    for name, file in files(folder, runfolder.records(folder)).items():
        model = replace(models.find(str(file)), name=f"{name}.{file.stem}")
        for mode in Mode:
            settings = RunSettings(mode=mode, sampling=Sampling(temperature=0.0), max_tokens=LONGEST)
            say(f"{name}, {mode}")
            _bench(make_job(model, dataset, settings, Split.TEST), place(folder, name, mode), watch)


def files(folder: Path, records: Mapping[str, StepRecord]) -> dict[str, Path]:
    """The GGUF before its first adapter, the merged one in F16, and the one that ships, by their names here.

    Raises UsageError where the gate is not passed yet.
    """
    return {name: folder / file for name, file in _gated(folder, records).items()}


def hashes(folder: Path, records: Mapping[str, StepRecord]) -> dict[str, str]:
    """SHA-256 of the same files as the gate had them; errors as `files`."""
    return {name: records["gate"].inputs[file] for name, file in _gated(folder, records).items()}


def _gated(folder: Path, records: Mapping[str, StepRecord]) -> dict[str, str]:
    """Those that the gate compared: a quantised one of an earlier export may lie beside them."""
    if "gate" not in records:
        raise UsageError("this run has no gate yet", where=str(folder), fix="finish it with `medlora-build run`")
    chosen, files = records["gate"].facts["chosen"], records["gate"].inputs
    quantised = [file for file in files if file.endswith(".gguf") and not file.endswith(F16)]
    return {
        BEFORE: next(file for file in quantised if file.startswith("gguf/base-")),
        MERGED: f"gguf/{chosen}-f16/{F16}",
        SHIPS: next(file for file in quantised if file.startswith(f"gguf/{chosen}-")),
    }


def place(folder: Path, name: str, mode: Mode) -> Path:
    """Folder of one bench."""
    return folder / FOLDER / f"{name}-{mode}"


def benches(folder: Path) -> Iterator[tuple[str, Mode, Path]]:
    """All benches of a run by model and mode."""
    return ((name, mode, place(folder, name, mode)) for name in (BEFORE, MERGED, SHIPS) for mode in Mode)


def _bench(job: Job, folder: Path, watch: Watch) -> None:
    with watch() as watcher, Engine(log=folder.parent / ".engine.log") as engine:
        run(job, folder, engine, watcher)
