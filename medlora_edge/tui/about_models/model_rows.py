"""What the model page lists: each model, and behind it each adapter beside it; all of it as data and words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medlora_edge.errors import MedloraError
from medlora_edge.models import Adapter, AdapterFile, FileState, MemoryPlan, Model, Surveyed
from medlora_edge.models.units import size_text
from medlora_edge.models.words import marks, memory_parts, memory_verdict
from medlora_edge.tui.about_models import model_results
from medlora_edge.tui.chat.signs import SEPARATOR

STATES = {
    FileState.INTACT: "the file that was installed",
    FileState.UNCHECKED: "not checked since it was last written; loading checks it, v does so now",
    FileState.CHANGED: "changed: it is not the file that was installed",
    FileState.MISSING: "missing",
}
HOW_TO_ADAPT = "none; a LoRA adapter (.gguf) put beside the model's file is offered here"


@dataclass(frozen=True)
class InUse:
    """What answers now, and what would without being asked for."""

    model: Model | None = None
    adapter: Adapter | None = None
    default: str | None = None


@dataclass(frozen=True)
class Row:
    """Something to choose: a model, alone or with an adapter."""

    found: Surveyed
    adapter: AdapterFile | None = None
    used: bool = False
    default: bool = False

    @property
    def model(self) -> Model | None:
        """The model, where its manifest could be read."""
        return self.found.entry.model

    @property
    def problem(self) -> MedloraError | None:
        """Why it cannot be used."""
        return self.found.problem or (self.adapter.problem if self.adapter else None)

    @property
    def place(self) -> tuple[str, Path | None]:
        """Tells it from all others."""
        return self.found.entry.name, self.adapter.path if self.adapter else None


def rows(survey: Iterable[Surveyed], now: InUse) -> tuple[Row, ...]:
    """Every model with its adapters behind it."""
    return tuple(row for found in survey for row in _rows_of(found, now))


def _rows_of(found: Surveyed, now: InUse) -> Iterator[Row]:
    loaded = bool(now.model and found.entry.model and now.model.path == found.entry.model.path)
    used = now.adapter.path.absolute() if now.adapter else None
    yield Row(found, used=loaded and used is None, default=found.entry.name == now.default)
    for adapter in found.adapters:
        yield Row(found, adapter, used=loaded and used == adapter.path.absolute())


def at(listed: Sequence[Row], place: tuple[str, Path | None] | None) -> int:
    """Where that row stands now; else where the one in use does."""
    places = [row.place for row in listed]
    if place in places:
        return places.index(place)
    return next((index for index, row in enumerate(listed) if row.used), 0)


def title(row: Row) -> str:
    """Its name, and what must be known at a glance."""
    used = ("in use",) if row.used else ()
    if row.adapter:
        return SEPARATOR.join((f"+ adapter {row.adapter.path.name}", *used))
    default = ("used at every start",) if row.default else ()
    return SEPARATOR.join((row.found.entry.name, *used, *default, *(marks(row.model) if row.model else ())))


def facts(row: Row) -> str:
    """Quantisation, size, memory needed, state of the file; or why it cannot be used."""
    if row.problem:
        return f"cannot be used: {row.problem.what}"
    model, memory, state = row.model, row.found.memory, row.found.state
    if row.adapter or model is None or memory is None or state is None:
        return f"for {row.found.entry.name}"
    fits = "fits" if memory.fits else f"only {size_text(memory.available)} free"
    needs = f"needs {size_text(memory.total)}, {fits}"
    return SEPARATOR.join((model.manifest.quantisation, size_text(model.manifest.size_bytes), needs, state))


def details(row: Row) -> dict[str, str]:
    """All that is known of the model, by what it is."""
    model = row.model
    if model is None:
        return {"model": row.found.entry.name}
    seen, memory = model.manifest, row.found.memory
    here = f"{memory.n_ctx:,} tokens here, " if memory else ""
    known = {
        "model": SEPARATOR.join((model.name, *marks(model))),
        **(_memory(memory) if memory else {}),
        "context": f"{here}{seen.context_length:,} at most",
        "licence": seen.licence or "not stated",
        "PubMedQA": "" if row.adapter else "\n  ".join(model_results.lines(seen)),
        "SHA-256": f"{seen.sha256[:16]}...: {STATES[row.found.state]}" if row.found.state else seen.sha256,
        "quantisation": f"{seen.quantisation}, {seen.parameters / 1e6:,.1f} million parameters, {seen.architecture}",
        "adapters": ", ".join(adapter.path.name for adapter in row.found.adapters) or HOW_TO_ADAPT,
        "file": f"{model.path}, {size_text(seen.size_bytes)}",
        "notes": seen.notes,
    }
    return {name: text for name, text in known.items() if text}


def _memory(planned: MemoryPlan) -> dict[str, str]:
    parts = ", ".join(f"{name} {size}" for name, size in memory_parts(planned).items())
    needed = f"{size_text(planned.total)} needed ({parts}), {size_text(planned.available)} free"
    return {"memory": f"{needed}. {memory_verdict(planned)}"}
