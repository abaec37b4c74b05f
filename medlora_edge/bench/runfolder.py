"""One run's folder: `card.json`, `samples.jsonl`, `results.json`, and a lock for one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from medlora_edge import paths
from medlora_edge.bench import journal
from medlora_edge.bench.schema import Card, Results, Sample
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import exclusive, write_atomic

CARD = "card.json"
RESULTS = "results.json"
LOCK = ".lock"

_M = TypeVar("_M", bound=BaseModel)


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Create the folder and keep other processes out. Raises InUseError (exit 8), ResourceError."""
    paths.private_folder(folder)
    try:
        (folder / LOCK).touch(mode=0o600)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    with exclusive(folder / LOCK, what="this run folder"):
        yield


def read_card(folder: Path) -> Card | None:
    """The run card, None where no run has begun. Raises CorruptError."""
    return _read(folder / CARD, Card)


def read_results(folder: Path) -> Results | None:
    """The results, None where there are none yet. Raises CorruptError."""
    return _read(folder / RESULTS, Results)


def write(folder: Path, document: Card | Results) -> None:
    """Replace `card.json` or `results.json`. Raises ResourceError."""
    name = CARD if isinstance(document, Card) else RESULTS
    try:
        write_atomic(folder / name, document.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise _cannot_write(folder, error) from error


def load(folder: Path) -> tuple[Card, dict[str, Sample]]:
    """Card and journal of a run. Raises UsageError where there is none, CorruptError where it is damaged."""
    return require_card(folder), journal.read(folder / journal.NAME)


def require_card(folder: Path) -> Card:
    """The run card. Raises UsageError where no run has begun, CorruptError."""
    card = read_card(folder)
    if card is None:
        raise UsageError("no run here", where=str(folder), fix="see `medlora-edge bench list`")
    return card


def find(name: str) -> Path:
    """A run by its name in the runs folder, or by its path."""
    named = paths.runs_dir() / name
    return named if (named / CARD).is_file() else Path(name)


def all_runs() -> list[Path]:
    """Folders of the default place that hold a run, by name."""
    return sorted(card.parent for card in paths.runs_dir().glob(f"*/{CARD}"))


def _read(path: Path, form: type[_M]) -> _M | None:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ResourceError(f"cannot read: {error.strerror}", where=str(path)) from error
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        fix = "it is damaged or made by another version; use another --out"
        what = f"not a readable {path.name}: {field}: {first['msg']}"
        raise CorruptError(what, where=str(path), fix=fix) from error


def _cannot_write(folder: Path, error: OSError) -> ResourceError:
    fix = "free space or give another folder with --out"
    return ResourceError(f"cannot write: {error.strerror}", where=str(folder), fix=fix)
