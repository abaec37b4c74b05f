"""F5: measure a model inside the app: choose, watch, stop, go on, read, compare."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import ContentSwitcher, OptionList

from medlora_edge.bench.begin import job_of
from medlora_edge.bench.report import report
from medlora_edge.bench.runs import listed
from medlora_edge.errors import MedloraError
from medlora_edge.models import Model
from medlora_edge.tui.about_models.bench_state import Phase
from medlora_edge.tui.about_models.benching import Bench
from medlora_edge.tui.about_models.earlier_runs import Opened, comparable, compared, open_run
from medlora_edge.tui.about_models.wishes import choices, find_job
from medlora_edge.tui.keys.bindings import BENCH_KEYS
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.steady import Steady
from medlora_edge.tui.terminal.threads import tell_screen
from medlora_edge.tui.widgets.bench_form import BenchForm
from medlora_edge.tui.widgets.bench_progress import BenchProgress
from medlora_edge.tui.widgets.card import error_card
from medlora_edge.tui.widgets.keys import Keys
from medlora_edge.tui.widgets.notice import Notice
from medlora_edge.tui.widgets.report_view import ReportView
from medlora_edge.tui.widgets.run_list import RunList

REDRAW_SECONDS = 1.0  # for the time left, between two answers
View = Literal["form", "progress", "report"]


class BenchScreen(Steady, Screen[None]):
    """Draws `bench`, which goes on without it. `model` is offered first."""

    BINDINGS = BENCH_KEYS
    HELP = "Bench"
    AUTO_FOCUS: ClassVar[str | None] = "#model"
    DEFAULT_CSS = """
    BenchScreen {
        ContentSwitcher { height: 1fr; }
        #form { height: 1fr; }
        #trouble { height: auto; padding-top: 1; }
    }
    """

    def __init__(self, bench: Bench, model: Model | None) -> None:
        super().__init__()
        self.bench = bench
        self.opened: Opened | None = None
        self._model = model

    # --- drawing ------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """One of three: what to measure and what was measured before; the run under way; a report."""
        yield Notice()
        yield Vertical(id="trouble")
        with ContentSwitcher(initial="form"):
            with Vertical(id="form"):
                yield BenchForm()
                yield RunList()
            yield BenchProgress()
            yield ReportView(id="report")
        yield Keys()

    def on_mount(self) -> None:
        """What there is to choose from, or the run that was begun before."""
        self.set_interval(REDRAW_SECONDS, self._draw)
        self._look()
        self._changed()

    def on_screen_resume(self) -> None:
        """The run is watched from now on."""
        self.bench.on_change = self._changed
        if self.bench.running or self.view == "progress":
            self._changed()

    def on_screen_suspend(self) -> None:
        """It goes on unseen."""
        if self.bench.on_change == self._changed:
            self.bench.on_change = None

    @property
    def view(self) -> View:
        """Which of the three is shown."""
        return self.query_one(ContentSwitcher).current  # type: ignore[return-value]

    def _turn_to(self, view: View, focus: str) -> None:
        if view != self.view:
            self.query_one("#trouble").remove_children()
            self.query_one(ContentSwitcher).current = view
            self.query_one(focus).focus()
        self.refresh_bindings()

    def _changed(self) -> None:
        """The run is further."""
        at = self.bench.at
        if at.folder and at.results:
            self.show_run(Opened(at.folder, at.results))
        elif at.phase is not Phase.NONE:
            self._turn_to("progress", "#progress")
            self._draw()

    def _draw(self) -> None:
        if self.view == "progress":
            self.query_one(BenchProgress).show(self.bench.at, self.bench.clock())

    def trouble(self, error: MedloraError) -> None:
        """Something cannot be done."""
        place = self.query_one("#trouble")
        place.remove_children()
        place.mount(error_card(error))

    # --- what there is ------------------------------------------------------------------------------------

    def _tell(self, do: Callable[[], object]) -> None:
        """From a worker thread, unless the screen is gone."""
        tell_screen(self, do)

    @work(thread=True, exclusive=True, group="look")
    def _look(self) -> None:
        try:
            runs, found = listed(), choices(self._model)
        except MedloraError as error:
            self._tell(partial(self.trouble, error))
        else:
            self._tell(lambda: self.query_one(BenchForm).offer(found))
            self._tell(lambda: self.query_one(RunList).show(runs))

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        if run := self.query_one(RunList).chosen:
            self._open(run.folder)

    @work(thread=True, exclusive=True, group="open")
    def _open(self, folder: Path) -> None:
        try:
            opened = open_run(folder)
        except MedloraError as error:
            self._tell(partial(self.trouble, error))
        else:
            self._tell(partial(self.show_run, opened))

    def show_run(self, opened: Opened) -> None:
        """Everything about a run."""
        self.opened = opened
        self._turn_to("report", "#report")
        self.query_one(ReportView).show(report(opened.results))

    # --- keys ---------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what can be done now is offered."""
        match action:
            case "stop":
                return self.bench.running
            case "back":
                return not self.bench.running
            case "go_on":
                return self._unfinished
            case "compare":
                return self.view == "report" and self.opened is not None
        return True

    @property
    def _unfinished(self) -> bool:
        if self.view == "report":
            return self.opened is not None and not self.opened.results.finished
        return self.view == "progress" and self.bench.at.phase in {Phase.STOPPED, Phase.FAILED}

    @on(BenchForm.Start)
    def _start(self, event: BenchForm.Start) -> None:
        self.bench.start(partial(find_job, event.wishes))

    def action_stop(self) -> None:
        """Esc while a run is under way."""
        self.bench.stop()

    def action_back(self) -> None:
        """Esc: from a report or a run that has ended to the choice, from there to the chat."""
        if self.view == "form":
            self.action_leave()
            return
        self.bench.forget()
        self.opened = None
        self._turn_to("form", "#model")
        self._look()

    def action_leave(self) -> None:
        """F5: back to the chat; a run goes on."""
        self.dismiss()

    def action_go_on(self) -> None:
        """R: ask what is not answered yet."""
        if self.view == "progress":
            self.bench.go_on()
        elif self.opened:
            self.bench.start(partial(job_of, self.opened.results.card))

    def action_compare(self) -> None:
        """C: which run to set beside this one."""
        if self.opened:
            self._find_others(self.opened)

    @work(thread=True, exclusive=True, group="compare")
    def _find_others(self, opened: Opened) -> None:
        names = comparable(opened)
        ask = Choice("Compare two runs", f"A is {opened.folder.name}. B is:", names)

        def chosen(at: int | None) -> None:
            if at is not None:
                self._compare(opened, names[at])

        self._tell(lambda: self.app.push_screen(ask, chosen))

    @work(thread=True, exclusive=True, group="compare")
    def _compare(self, opened: Opened, other: str) -> None:
        try:
            found = compared(opened, other)
        except MedloraError as error:
            self._tell(partial(self.trouble, error))
        else:
            self._tell(lambda: self.query_one(ReportView).show(found))
