"""From what a user asks for, or from the card of an unfinished run, to a job and its results."""

from collections.abc import Mapping
from pathlib import Path

from medlora_edge.bench import library, runner
from medlora_edge.bench.dataset import Dataset
from medlora_edge.bench.job import Job, is_finished, make_job, parse_settings
from medlora_edge.bench.kinds import Origin, Split
from medlora_edge.bench.schema import Card, Results
from medlora_edge.engine.client import Engine
from medlora_edge.errors import UsageError
from medlora_edge.models import find, find_adapter, verify
from medlora_edge.settings import load_settings

FROM_SETTINGS = {"threads", "gpu_layers", "kv_type"}


def job_for(
    options: Mapping[str, object],
    *,
    model: str | None,
    dataset: Dataset,
    adapter: Path | None = None,
    split: Split | None = None,
) -> Job:
    """What is to be measured; `options` by the names of RunSettings, over those of the settings file.

    Raises UsageError, CorruptError.
    """
    engine = load_settings().engine.model_dump(include=FROM_SETTINGS)
    settings = parse_settings({**engine, **options})
    measured = find(model)
    fitted = find_adapter(adapter, measured) if adapter else None
    return make_job(measured, dataset, settings, split, fitted)


def job_of(card: Card) -> Job:
    """The job that a card belongs to, to go on with it.

    Raises UsageError when something it needs is not at hand here: its own data file, its adapter, the same model.
    """
    dataset = at_hand(card.data.origin)
    fix = "go on with the `medlora-edge bench pubmedqa` command that began it"
    if dataset is None or card.adapter:
        missing = "adapter" if card.adapter else "data file"
        raise UsageError(f"the run has a {missing} of its own", where=card.model.name, fix=fix)
    job = make_job(find(card.model.name), dataset, card.settings, card.settings.split)
    if job.identity != card.run_id:
        what = "the model, the prompts or the program are no longer those of this run"
        raise UsageError(what, where=card.model.name, fix="begin a new run")
    return job


def at_hand(origin: Origin) -> Dataset | None:
    """The data set of this origin, None where it is not here. Raises CorruptError when it has changed."""
    match origin:
        case Origin.OFFICIAL:
            return library.installed()
        case Origin.SAMPLE:
            return library.sample()
        case Origin.OWN:
            return None


def measure(job: Job, folder: Path, engine: Engine, watcher: runner.Watcher) -> Results:
    """Begin, resume, or only report a run in its folder. Raises CorruptError, and what `runner.run` raises."""
    if not is_finished(job, folder):
        verify(job.model)
    return runner.run(job, folder, engine, watcher)
