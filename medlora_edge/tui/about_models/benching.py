"""A bench run inside the app: it has the machine for itself, goes on behind any screen, and stops within a question."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from textual.app import App

from medlora_edge import paths
from medlora_edge.bench.tally import Tally
from medlora_edge.engine.client import Engine
from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.tui.about_models.bench_state import BenchState, Phase
from medlora_edge.tui.terminal.threads import tell

if TYPE_CHECKING:
    from medlora_edge.bench.job import Job
    from medlora_edge.bench.schema import Results, Sample

FindJob = Callable[[], "Job"]


def _measure(*run: Any) -> "Results":
    """The real thing, imported when it is wanted: the app opens sooner."""
    from medlora_edge.bench.begin import measure

    return measure(*run)


class Bench:
    """One run at a time, seen in `at`; a screen that shows it sets `on_change`, called on the screen's thread.

    `lend` gives the machine and takes it back; `clock` in seconds. `measure` runs, and tells its watcher.
    """

    def __init__(
        self,
        app: App[Any],
        lend: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float],
        measure: Callable[..., "Results"] = _measure,
    ) -> None:
        self.at = BenchState()
        self.on_change: Callable[[], None] | None = None
        self.clock = clock
        self._app = app
        self._lend = lend
        self._measure = measure
        self._find: FindJob | None = None
        self._lock = Lock()  # guards what follows
        self._engine: Engine | None = None
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether a run has the machine."""
        return self.at.running

    @property
    def watched(self) -> bool:
        """Whether a screen shows it."""
        return self.on_change is not None

    # --- on the screen's thread ---------------------------------------------------------------------------

    def start(self, find: FindJob) -> None:
        """Measure what `find` finds, from where its folder stands; nothing while a run is under way."""
        if self.running:
            return
        self._find, self._engine, self._stopped = find, None, False
        self._set(BenchState(Phase.RUNNING, stage="reading the data"))
        self._app.run_worker(lambda: self._run(find), thread=True, group="bench")

    def go_on(self) -> None:
        """Go on with the run that was stopped or has failed."""
        if self._find:
            self.start(self._find)

    def stop(self) -> None:
        """End the run; what is answered is kept. Returns at once."""
        if self.running:
            self._set(replace(self.at, phase=Phase.STOPPING))
            self.close()

    def forget(self) -> None:
        """What has ended is seen."""
        if not self.running:
            self._find, self.at = None, BenchState()

    def close(self) -> None:
        """The same without a word, from any thread."""
        with self._lock:
            self._stopped = True
            engine = self._engine
        if engine:  # every request fails now; the death of a process with gigabytes takes a while
            Thread(target=engine.close, daemon=True).start()

    def _set(self, at: BenchState) -> None:
        self.at = at
        if self.on_change:
            self.on_change()

    # --- in the run's thread ------------------------------------------------------------------------------

    def _run(self, find: FindJob) -> None:
        try:
            with self._lend():
                results = self._measured(find())
        except MedloraError as error:
            stopped = self._stopped or isinstance(error, StoppedError)
            self.say(phase=Phase.STOPPED if stopped else Phase.FAILED, error=error)
        else:
            self.say(phase=Phase.DONE, results=results)
        tell(self._app, self._announce)

    def _announce(self) -> None:
        if not self.watched:
            self._app.notify("The bench has ended: F5 shows it.", markup=False)

    def _measured(self, job: "Job") -> "Results":
        from medlora_edge.bench.notices import beforehand

        folder, model = paths.runs_dir() / job.folder_name, job.model
        demonstration = model.manifest.demonstration
        warnings = beforehand(job.dataset.origin, untrained=model.untrained, demonstration=demonstration)
        self.say(title=job.title, folder=folder, warnings=tuple(warnings))
        with Engine() as engine:
            with self._lock:
                self._engine = engine
            self.require_wanted()
            return self._measure(job, folder, engine, Watch(self))

    def require_wanted(self) -> None:
        """Raises StoppedError after a stop. One that comes later closes the engine: what is asked of it then fails."""
        if self._stopped:
            raise StoppedError("stopped")

    def say(self, **changes: Any) -> None:
        """Show the run with these changes."""
        tell(self._app, lambda: self._set(replace(self.at, **changes)))


class Watch:
    """What the runner says, as changes of the state."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._tally = Tally(0)

    def stage(self, what: str) -> None:
        """Something begins that takes a while."""
        self._bench.require_wanted()
        self._bench.say(stage=what)

    def begin(self, done: "Sequence[Sample]", total: int) -> None:
        """Items are about to be asked; `done` are there already."""
        self._tally = Tally.resumed(done, total)
        self._bench.say(stage="asking", tally=self._tally, began=self._bench.clock())

    def answered(self, sample: "Sample") -> None:
        """One more item is in the journal."""
        self._tally = self._tally.answered(sample)
        self._bench.say(tally=self._tally)
