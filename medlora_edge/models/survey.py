"""What is to be said of each model before one is chosen: is it intact, does it fit, which adapters lie beside it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import MedloraError, ResourceError
from medlora_edge.models.adapter import check_adapter
from medlora_edge.models.catalogue import Entry, Model, inspect, installed, shipped, size_of, verify
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.hashing import remembered
from medlora_edge.models.memory_plan import MemoryPlan, plan
from medlora_edge.models.opening import chat_options
from medlora_edge.settings import EngineSettings


class FileState(StrEnum):
    """What is known of a model's file without reading it."""

    INTACT = "intact"
    UNCHECKED = "not checked yet"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True)
class AdapterFile:
    """A GGUF beside a model's own; `problem`: why it is no adapter of that model."""

    path: Path
    problem: MedloraError | None = None


@dataclass(frozen=True)
class Surveyed:
    """An entry of the catalogue; `memory` at the context of the settings. With a `problem` it cannot be used."""

    entry: Entry
    state: FileState | None = None
    memory: MemoryPlan | None = None
    adapters: tuple[AdapterFile, ...] = ()
    problem: MedloraError | None = None


def file_state(model: Model) -> FileState:
    """Tell it from size, times and what was hashed before. Raises UsageError for a file that cannot be opened."""
    size = size_of(model.path)
    if size is None:
        return FileState.MISSING
    if size != model.manifest.size_bytes:
        return FileState.CHANGED
    digest = remembered(model.path)
    if digest is None:
        return FileState.UNCHECKED
    return FileState.INTACT if digest == model.manifest.sha256 else FileState.CHANGED


def survey(settings: EngineSettings) -> tuple[Surveyed, ...]:
    """All models, installed and shipped. Raises ResourceError when the catalogue itself cannot be read."""
    try:
        entries = (*installed(), *shipped())
    except OSError as error:
        what = f"the model catalogue cannot be read: {error.strerror}"
        raise ResourceError(what, where=str(paths.models_dir()), fix="check who may read it") from error
    return tuple(look_at(entry, settings) for entry in entries)


def look_at(entry: Entry, settings: EngineSettings) -> Surveyed:
    """One model; reads the headers of its files, which may take a second."""
    if entry.model is None:
        return Surveyed(entry, problem=entry.problem)
    state = None
    try:
        state = file_state(entry.model)
        if state in (FileState.CHANGED, FileState.MISSING):
            verify(entry.model)  # says what is wrong with it, without reading it
        header = inspect(entry.model.path)
        memory = plan(header, chat_options(header, settings))
    except MedloraError as problem:
        return Surveyed(entry, state, problem=problem)
    return Surveyed(entry, state, memory, _adapters(entry.model, header))


def _adapters(model: Model, header: GgufHeader) -> tuple[AdapterFile, ...]:
    files = sorted(path for path in model.path.parent.glob("*.gguf") if path.name != model.path.name)
    return tuple(AdapterFile(path, _misfit(path, header)) for path in files)


def _misfit(path: Path, header: GgufHeader) -> MedloraError | None:
    try:
        check_adapter(read_header(path), header)
    except MedloraError as problem:
        return problem
    return None
