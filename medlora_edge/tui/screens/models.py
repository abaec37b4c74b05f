"""F4: every model with what it needs and whether it is intact; choose one and go on with the chat."""

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import OptionList
from textual.worker import get_current_worker

from medlora_edge import models
from medlora_edge.errors import MedloraError
from medlora_edge.models import Model
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.about_models import choosing
from medlora_edge.tui.about_models.choosing import Chosen
from medlora_edge.tui.about_models.model_rows import InUse, Row
from medlora_edge.tui.keys.bindings import MODEL_KEYS
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.list_page import ListPage
from medlora_edge.tui.terminal.threads import tell_screen
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.model_details import ModelDetails
from medlora_edge.tui.widgets.model_list import ModelList
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.plain import Plain

LOOKING = "Looking at the models ..."
HOW = "Choosing a model keeps the chat."
ASKED = "Stop the answer?"
STOP = ("Stop the answer and change the model", "Let it be written")


class ModelPage(ListPage[Chosen | None]):
    """Ends with the model chosen. `busy`: whether an answer is being written now."""

    BINDINGS = MODEL_KEYS
    HELP = "Models"
    AUTO_FOCUS: ClassVar[str | None] = "ModelList"
    DEFAULT_CSS = """
    ModelPage.-wide ModelList { height: 1fr; max-height: 100%; }
    """

    def __init__(self, settings: EngineSettings, now: InUse, *, busy: Callable[[], bool]) -> None:
        super().__init__()
        self._settings = settings
        self._now = now
        self._busy = busy

    # --- drawing ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """What goes on, the list, all about the one that is highlighted."""
        yield Notice()
        yield Plain(LOOKING, id="work", classes="line quiet")
        with Container(id="body"):
            yield ModelList()
            yield ModelDetails()
        yield Keys()

    def on_mount(self) -> None:
        """Look at what there is."""
        self.action_look()

    @property
    def _list(self) -> ModelList:
        return self.query_one(ModelList)

    @property
    def _about(self) -> ModelDetails:
        return self.query_one(ModelDetails)

    def _say(self, words: str) -> None:
        self.query_one("#work", Plain).show(words)

    def _show(self, listed: tuple[Row, ...], words: str = HOW) -> None:
        self._list.show(listed)
        self._say(words)
        if not listed:
            self._about.empty()

    def _trouble(self, error: MedloraError) -> None:
        self._about.trouble(error)
        self._say(f"{error.what}.")

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        if row := self._list.row:
            self._about.show(row)

    # --- keys ---------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="look")
    def action_look(self) -> None:
        """Look at all models again."""
        self._look(HOW)

    def _look(self, words: str) -> tuple[Row, ...]:
        try:
            listed = choosing.listed(self._settings, self._now)
        except MedloraError as error:
            tell_screen(self, self._trouble, error)
            return ()
        tell_screen(self, self._show, listed, words)
        return listed

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        if row := self._list.row:
            self._take(row)

    @work(thread=True, exclusive=True, group="take")
    def _take(self, row: Row) -> None:
        """Look once more: the file may have been removed or replaced since."""
        listed = self._look(LOOKING)
        try:
            chosen = choosing.take(listed, row)
        except MedloraError as error:
            tell_screen(self, self._say, f"{row.found.entry.name} cannot be used: {error.what}.")
        else:
            tell_screen(self, self._taken, chosen)

    def _taken(self, chosen: Chosen) -> None:
        if not self.is_current:
            return
        if not self._busy():
            self.dismiss(chosen)
            return
        about = (
            f"An answer is being written. What is there of it stays, marked; {chosen.model.name} answers from then on."
        )

        def answered(answer: int | None) -> None:
            if answer == 0:
                self.dismiss(chosen)

        self._say(HOW)
        self.app.push_screen(Choice(ASKED, about, STOP), answered)

    def action_check(self) -> None:
        """Hash the highlighted model's file."""
        if (row := self._list.row) and row.model:
            self._check(row.model)

    @work(thread=True, exclusive=True, group="check")
    def _check(self, model: Model) -> None:
        worker, last = get_current_worker(), HOW

        def say(words: str) -> None:
            nonlocal last
            last = words
            tell_screen(self, self._say, words)

        choosing.check(model, say, lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self._look(last)

    def action_make_default(self) -> None:
        """The highlighted model answers at every start."""
        if (row := self._list.row) and row.model:
            self._make_default(row.model.name)

    @work(thread=True, exclusive=True, group="look")
    def _make_default(self, name: str) -> None:
        try:
            models.set_default(name)
        except MedloraError as error:
            tell_screen(self, self._say, f"{error.what}.")
        else:
            self._look(f"{name} answers at every start.")
