"""A bench run that plays a script: what the Bench screen's tests watch instead of a model. It never sleeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import Any

from medlora_edge.bench import runfolder
from medlora_edge.bench.job import Job
from medlora_edge.bench.journal import NAME, Journal
from medlora_edge.bench.results import compute
from medlora_edge.bench.runner import Watcher
from medlora_edge.bench.schema import Card, Label, Results, Sample
from medlora_edge.engine import Engine
from medlora_edge.errors import EngineError, MedloraError
from tests.bench.samples import card, sample
from tests.tui.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Gate:
    """Wait until the test opens it; a closed engine ends the wait as it ends every request."""

    name: str


@dataclass(frozen=True)
class Stage:
    """Something that takes a while."""

    what: str


@dataclass(frozen=True)
class Answer:
    """The next item, whose label is yes, is answered with this."""

    label: Label | None


Step = Gate | Stage | Answer | MedloraError


class Play:
    """Stands in for `bench.begin.measure`. `jobs` are those it was given; each takes the next script."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.jobs: list[Job] = []
        self._scripts = list(scripts)
        self._opened: set[str] = set()
        self._changed = Condition()

    def open(self, gate: str) -> None:
        with self._changed:
            self._opened.add(gate)
            self._changed.notify_all()

    def __call__(self, job: Job, folder: Path, engine: Engine, watcher: Watcher) -> Results:
        self.jobs.append(job)
        done: list[Sample] = []
        watcher.begin(done, len(job.items))
        for step in self._scripts.pop(0):
            match step:
                case Gate(name):
                    self._pass(name, engine)
                case Stage(what):
                    watcher.stage(what)
                case Answer(label):
                    done.append(sample(str(len(done)), "yes", label))
                    watcher.answered(done[-1])
                case MedloraError():
                    raise step
        return compute(card(n_items=len(done)), {one.id: one for one in done})

    def _pass(self, gate: str, engine: Engine) -> None:
        with self._changed:
            while gate not in self._opened:
                if engine._closed:
                    raise EngineError("the engine is closed")
                self._changed.wait(min(0.01, PATIENCE_SECONDS))


def keep_run(home: Path, name: str, labels: Sequence[Label | None], **changes: Any) -> Card:
    """An earlier run in the default place, its items all with the label yes."""
    folder = home / "data" / "runs" / name
    known: dict[str, Any] = {"n_items": len(labels)}
    made = card(**known | changes)
    with runfolder.hold(folder), Journal(folder / NAME) as lines:
        for number, label in enumerate(labels):
            lines.append(sample(str(number), "yes", label))
    runfolder.write(folder, made)
    if len(labels) == made.data.n_items:
        runfolder.write(folder, compute(made, {str(n): sample(str(n), "yes", one) for n, one in enumerate(labels)}))
    return made
