"""A model on its way into memory."""

from collections.abc import Callable
from threading import Lock, Thread

from medlora_edge.errors import MedloraError, StoppedError
from medlora_edge.models import Stage
from medlora_edge.tui.session.events import LoadingModel, ModelFailed, SessionEvent
from medlora_edge.tui.session.underway import Underway


class Loading:
    """One load. `interrupt` ends the engine's part of it, from any thread."""

    def __init__(self, name: str, put: Callable[[SessionEvent], None], interrupt: Callable[[], None]) -> None:
        self.name = name
        self._interrupt = interrupt
        self._way = Underway(put)
        self._engine_use = Lock()
        self._left_engine = False

    @property
    def ended(self) -> bool:
        """Whether its end was said."""
        return self._way.ended

    def progress(self, stage: Stage, fraction: float) -> None:
        """Say how far it is. Raises StoppedError in the file check when it was stopped meanwhile."""
        if self.ended and stage is Stage.CHECKING:
            raise StoppedError("stopped")
        if self.ended:
            self._interrupt()
        self._way.say(LoadingModel(self.name, stage, fraction))

    def end(self, event: SessionEvent) -> bool:
        """Say the end, unless it was said before."""
        return self._way.end(event)

    def fail(self, error: MedloraError) -> None:
        """It cannot be done."""
        self.end(ModelFailed(self.name, error))

    def leave_engine(self) -> None:
        """The engine is free for the next load: from here on a stop of this one must not touch it."""
        with self._engine_use:
            self._left_engine = True

    def stop(self) -> None:
        """Say so at once; the work ends behind it, for the death of a process with gigabytes in it takes a while."""
        if self._way.end(ModelFailed(self.name, StoppedError("stopped"))):
            Thread(target=self._give_up, daemon=True).start()

    def _give_up(self) -> None:
        with self._engine_use:
            if not self._left_engine:
                self._interrupt()
