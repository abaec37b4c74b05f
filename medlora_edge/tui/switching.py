"""Another model in the middle of a chat: the answer under way ends, the chat stays, the model loads behind it."""

from typing import TYPE_CHECKING

from medlora_edge.errors import MedloraError
from medlora_edge.tui.about_models.choosing import Chosen
from medlora_edge.tui.about_models.model_rows import InUse
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.screens.models import ModelPage

if TYPE_CHECKING:
    from medlora_edge.tui.app import EdgeApp

LENT = "A bench is running: F5 shows and stops it. The model stays as it is until then."


def open_page(app: "EdgeApp") -> None:
    """Show the model page."""
    desk = app.chat.desk
    page = ModelPage(app.settings.engine, InUse(desk.model, desk.adapter), busy=lambda: app.chat.busy)
    app.push_screen(page, lambda chosen: switch(app, chosen) if chosen else None)


def switch(app: "EdgeApp", chosen: Chosen) -> None:
    """Go on with this model; does nothing where it answers already."""
    chat, desk = app.chat, app.chat.desk
    if chat.standing.ready and (desk.model, desk.adapter) == (chosen.model, chosen.adapter):
        return
    if app.bench.running:
        app.notify(LENT, severity="warning", markup=False)
        return
    if chat.busy:
        desk.stop()
    chat.transcript.add(Note("note", f"{_name(chosen)} answers from here on. The chat stays."))
    app.run_worker(lambda: _load(app, chosen), thread=True, group="load")


def _load(app: "EdgeApp", chosen: Chosen) -> None:
    try:
        app.chat.desk.load(lambda: chosen.model, chosen.adapter)
    except MedloraError as error:
        app.trouble(error)


def _name(chosen: Chosen) -> str:
    return f"{chosen.model.name} with adapter {chosen.adapter.name}" if chosen.adapter else chosen.model.name
