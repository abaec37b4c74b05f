"""What the model page does with models: list them, check one, take one. All of it is slow: for worker threads."""

from collections.abc import Callable
from dataclasses import dataclass

from medlora_edge import models
from medlora_edge.errors import MedloraError, StoppedError, UsageError
from medlora_edge.models import Adapter, Entry, Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.about_models.model_rows import InUse, Row, rows


@dataclass(frozen=True)
class Chosen:
    """The model to go on with."""

    model: Model
    adapter: Adapter | None = None


def listed(settings: EngineSettings, now: InUse) -> tuple[Row, ...]:
    """All models, and the one in use where it is none of the catalogue's. Raises MedloraError."""
    found = models.survey(settings)
    known = {each.entry.model.path for each in found if each.entry.model}
    if now.model and now.model.path not in known:
        found = (*found, models.look_at(Entry(now.model.name, now.model), settings))
    return rows(found, InUse(now.model, now.adapter, _default()))


def _default() -> str | None:
    try:
        return models.default_name()
    except MedloraError:  # said at the start; choosing another one mends it
        return None


def take(listed: tuple[Row, ...], row: Row) -> Chosen:
    """What that row has become, if it can be used; an adapter is hashed. Raises MedloraError."""
    fresh = next((each for each in listed if each.place == row.place), None)
    if fresh is None or fresh.model is None:
        raise UsageError("it is no longer installed", fix="choose another one")
    if fresh.problem:
        raise fresh.problem
    return Chosen(fresh.model, models.find_adapter(fresh.adapter.path, fresh.model) if fresh.adapter else None)


def check(model: Model, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
    """Hash the model's file whatever is remembered, telling every whole percent and the end."""
    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        if stopped():
            raise StoppedError("stopped")
        if (percent := 100 * done // max(1, total)) != said:
            said = percent
            say(f"Checking {model.name} {percent}% (Esc stops it and leaves this page)")

    try:
        models.verify(model, progress, fresh=True)
    except StoppedError:
        return
    except MedloraError as error:
        say(f"{model.name}: {error.what}.")
    else:
        say(f"{model.name} is the file that was installed.")
