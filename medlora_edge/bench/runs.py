"""The runs in the default place, finished or not, and why one of them cannot be read."""

from dataclasses import dataclass
from pathlib import Path

from medlora_edge.bench import journal, runfolder
from medlora_edge.errors import MedloraError


@dataclass(frozen=True)
class Listed:
    """A run: `done` of `total` questions; `accuracy` once it is finished; `problem`: it cannot be read."""

    folder: Path
    done: int = 0
    total: int = 0
    accuracy: float | None = None
    started: str = ""
    problem: MedloraError | None = None

    @property
    def name(self) -> str:
        """What `bench rescore` and `bench compare` take."""
        return self.folder.name


def listed() -> list[Listed]:
    """All runs by name; a damaged one does not hide the others."""
    return [_listed(folder) for folder in runfolder.all_runs()]


def _listed(folder: Path) -> Listed:
    try:
        card, results = runfolder.read_card(folder), runfolder.read_results(folder)
        path = folder / journal.NAME
        done = len(journal.read(path)) if path.exists() else 0
    except MedloraError as problem:
        return Listed(folder, problem=problem)
    if card is None:
        return Listed(folder)
    accuracy = results.metrics.accuracy if results and results.finished else None
    return Listed(folder, done, card.data.n_items, accuracy, card.started[:16].replace("T", " "))
