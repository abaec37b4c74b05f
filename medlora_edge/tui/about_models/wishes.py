"""What a user may choose for a bench run, and the job that comes of it. Reads files: call it from worker threads."""

from dataclasses import dataclass

from medlora_edge import models
from medlora_edge.bench import library
from medlora_edge.bench.begin import at_hand, job_for
from medlora_edge.bench.job import Job
from medlora_edge.bench.kinds import Mode, Origin
from medlora_edge.bench.notices import beforehand
from medlora_edge.errors import UsageError
from medlora_edge.models import Model

MODES = {
    Mode.SCORE: "score: how likely is each label? No text, the fastest",
    Mode.CONSTRAINED: "constrained: the model can say nothing but a label",
    Mode.GENERATE: "generate: the model answers freely, its answer is read",
}
DATA = {
    Origin.OFFICIAL: "PubMedQA, the official 500 test questions",
    Origin.SAMPLE: "SAMPLE of invented questions: to try it, not to measure",
}


@dataclass(frozen=True)
class Choices:
    """What is at hand, the likeliest first."""

    models: tuple[Model, ...]
    data: tuple[Origin, ...]


@dataclass(frozen=True)
class Wishes:
    """What the user chose. `limit`: only so many questions."""

    model: Model
    data: Origin
    mode: Mode
    limit: int | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be known before a figure is believed."""
        demonstration = self.model.manifest.demonstration
        return tuple(beforehand(self.data, untrained=self.model.untrained, demonstration=demonstration))


def choices(first: Model | None) -> Choices:
    """Models and data on this machine; `first` leads where it is one of them. Raises UsageError without a model."""
    found = [entry.model for entry in (*models.installed(), *models.shipped()) if entry.model]
    if not found:
        models.find(None)  # says what is missing
    name = first.name if first else models.default_name()
    found.sort(key=lambda model: model.name != name)
    official = (Origin.OFFICIAL,) if library.installed_path().exists() else ()
    return Choices(tuple(found), (*official, Origin.SAMPLE))


def find_job(wishes: Wishes) -> Job:
    """What `medlora-edge bench pubmedqa` with these options measures. Raises UsageError, CorruptError."""
    dataset = at_hand(wishes.data)
    if dataset is None:
        fix = "import it again with `medlora-edge data import pubmedqa FILE`"
        raise UsageError("PubMedQA is no longer installed", where=str(library.installed_path()), fix=fix)
    return job_for({"mode": wishes.mode, "limit": wishes.limit}, model=wishes.model.name, dataset=dataset)
