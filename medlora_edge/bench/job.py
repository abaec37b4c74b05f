"""What one run is: its items, its settings, its identity, and what its folder already holds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from medlora_edge.bench import journal, runfolder
from medlora_edge.bench.dataset import Dataset, Item
from medlora_edge.bench.kinds import Flag, Mode, Split
from medlora_edge.bench.schema import LABELS, Card, RunSettings, Sample
from medlora_edge.bench.selection import default_split, take_limit, take_split
from medlora_edge.engine.protocol import Sampling
from medlora_edge.errors import UsageError
from medlora_edge.models import Adapter, Model
from medlora_edge.tasks import READER_VERSION, prompts_sha256

TASK = "pubmedqa"


@dataclass(frozen=True)
class Job:
    """What a run measures: `items` of `dataset`, out of the `n_split` that its split has."""

    model: Model
    dataset: Dataset
    items: tuple[Item, ...]
    n_split: int
    settings: RunSettings
    adapter: Adapter | None = None

    @cached_property
    def identity(self) -> str:
        """SHA-256 over everything that may change an answer and is known before the model is loaded."""
        parts = {
            "settings": self.settings.model_dump(mode="json"),
            "model": self.model.manifest.sha256,
            "adapter": self.adapter.sha256 if self.adapter else None,
            "data": self.dataset.sha256,
            "prompts": prompts_sha256(TASK),
            "reader": READER_VERSION,
            "llama-cpp-python": version("llama-cpp-python"),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def title(self) -> str:
        """What is measured, in one line; the model's name in it is foreign text."""
        measured = f"{self.model.name} with adapter {self.adapter.name}" if self.adapter else self.model.name
        asked = f"PubMedQA ({self.dataset.origin}), {len(self.items):,} questions"
        return f"{measured} on {asked}, mode {self.settings.mode}"

    @property
    def folder_name(self) -> str:
        """Readable and unique, equal for the same command: so the same command resumes."""
        measured = (self.model.name, *((self.adapter.name,) if self.adapter else ()))
        names = ("".join(char if char.isalnum() or char in "._-" else "-" for char in name)[:60] for name in measured)
        limit = (f"limit{self.settings.limit}",) if self.settings.limit else ()
        data, split, mode = self.dataset.origin, self.settings.split, self.settings.mode
        return "_".join((*names, data, split, mode, *limit, self.identity[:8]))


def parse_settings(values: Mapping[str, object]) -> RunSettings:
    """Check what the user asked for. Raises UsageError naming the setting."""
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        names = [
            str(part) for part in first["loc"] if part in RunSettings.model_fields or part in Sampling.model_fields
        ]
        option = f"--{names[-1].replace('_', '-')}"
        raise UsageError(f"{option} {first['input']!r}: {first['msg']}", fix="see --help") from error


def make_job(
    model: Model, dataset: Dataset, settings: RunSettings, split: Split | None, adapter: Adapter | None = None
) -> Job:
    """Choose the items. Without `split`: the official test items, or all where there are none.

    Raises UsageError when the data set has no such split, or the settings cannot do what their mode promises.
    """
    split = split or default_split(dataset)
    _require_room(settings)
    items = take_split(dataset, split)
    chosen = effective(settings).model_copy(update={"split": split})
    return Job(model, dataset, take_limit(items, settings.limit), len(items), chosen, adapter)


def _require_room(settings: RunSettings) -> None:
    """A grammar makes every answer valid only where the answer has room to end."""
    longest = max(len(f"{label}.") for label in LABELS) + 1  # a token holds at least one byte; one ends the turn
    if settings.mode is Mode.CONSTRAINED and settings.max_tokens < longest:
        raise UsageError(
            f"--max-tokens {settings.max_tokens} may cut a constrained answer", fix=f"give at least {longest}"
        )


def effective(settings: RunSettings) -> RunSettings:
    """The settings without what has no effect in their mode, lest it make two runs of one."""
    match settings.mode:
        case Mode.SCORE:
            idle = {"sampling": None, "parallel": 1, "full": False, "max_tokens": 1}
        case Mode.CONSTRAINED:
            idle = {"full": False}
        case Mode.GENERATE:
            idle = {}
    return settings.model_copy(update=idle)


def earlier(job: Job, folder: Path) -> tuple[Card | None, dict[str, Sample]]:
    """Card and samples that the folder already holds for this job, without those the engine failed on.

    Raises UsageError when they are another run's, CorruptError when they cannot be read.
    """
    card, path = runfolder.read_card(folder), folder / journal.NAME
    if card is None:
        if path.exists():
            raise UsageError("a journal without its run card", where=str(folder), fix="use another --out")
        return None, {}
    if card.run_id != job.identity:
        what = "this folder holds another run: model, adapter, data or settings differ"
        raise UsageError(what, where=str(folder), fix="give the same options, or use another --out")
    return card, _kept(journal.read(path)) if path.exists() else {}


def is_finished(job: Job, folder: Path) -> bool:
    """Whether the folder holds an answer to every item of this job."""
    return len(earlier(job, folder)[1]) == len(job.items)


def _kept(done: Mapping[str, Sample]) -> dict[str, Sample]:
    return {id_: sample for id_, sample in done.items() if Flag.ENGINE_FAILED not in sample.flags}
