"""What the chat screen makes of the session's events: status line, cards, turns."""

from typing import TYPE_CHECKING

from medlora_edge.errors import StoppedError
from medlora_edge.tui.chat import standing
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.session.events import (
    Ended,
    EngineRestarted,
    ModelFailed,
    ModelReady,
    ModelReleased,
    Queued,
    SessionEvent,
)
from medlora_edge.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from medlora_edge.tui.screens.chat import ChatScreen


def hear(chat: "ChatScreen", event: SessionEvent, now: float) -> None:
    """Draw an event that came at `now` (seconds, any clock)."""
    chat.show(standing.hear(chat.standing, event, now))
    match event:
        case ModelReady():
            _ready(chat, event)
        case ModelFailed():
            _no_model(chat, event)
        case EngineRestarted():
            chat.transcript.add(Note("warning", event.why, fix="nothing: the question is asked once more"))
        case ModelReleased():
            chat.desk.let_go()
        case Queued():
            chat.desk.confirm_stop()
    chat.transcript.hear(event)
    if isinstance(event, Ended):
        chat.asking.free()


def _ready(chat: "ChatScreen", event: ModelReady) -> None:
    chat.query_one(Notice).warn(event.warning)
    for note in event.notes:
        chat.transcript.add(Note("note", note))
    chat.counting.later()


def _no_model(chat: "ChatScreen", event: ModelFailed) -> None:
    if isinstance(event.error, StoppedError):
        chat.transcript.add(Note("note", "The load was stopped.", fix="your next question loads the model"))
        return
    chat.trouble(event.error)
    if earlier := chat.desk.go_back():
        chat.transcript.add(Note("note", f"{event.name} cannot be used: {earlier.name} answers again."))
        if not chat.busy:  # else the question that waited fails first, and the next one loads it
            chat.post_message(chat.WentBack())
