"""What Esc, Ctrl+C, Ctrl+D and Ctrl+Q do, by what the app is at: no single press loses anything."""

from dataclasses import dataclass
from enum import StrEnum

WARNED_SECONDS = 1.0  # within which a second Ctrl+C quits


class Step(StrEnum):
    """What a key does."""

    NOTHING = "nothing"
    CLOSE_OVERLAY = "close the overlay"
    STOP = "stop what is under way"
    FOCUS_PROMPT = "back to the prompt"
    COPY = "copy the selection"
    WARN = "say that a second press quits"
    DELETE_RIGHT = "delete the character under the cursor"
    CONFIRM_QUIT = "ask whether to quit"
    QUIT = "quit"


@dataclass(frozen=True)
class Situation:
    """`busy`: a turn or a load is under way; `warned`: Ctrl+C was pressed a moment ago; `unsaved`: a quit would lose
    turns; `draft`: the prompt is not empty; `held`: the overlay does not close yet.
    """

    overlay: bool = False
    selection: bool = False
    busy: bool = False
    in_prompt: bool = True
    draft: bool = False
    warned: bool = False
    unsaved: bool = False
    held: bool = False


def on_escape(at: Situation) -> Step:
    """Close the overlay, else stop, else back to the prompt; never quits, never clears."""
    if at.overlay:
        return Step.CLOSE_OVERLAY
    if at.busy:
        return Step.STOP
    return Step.NOTHING if at.in_prompt else Step.FOCUS_PROMPT


def on_interrupt(at: Situation) -> Step:
    """Ctrl+C: copy the selection, else stop, else quit at the second press; over an overlay that is held as Esc."""
    if at.selection:
        return Step.COPY
    if at.busy:
        return Step.STOP
    if at.held:
        return Step.CLOSE_OVERLAY
    return Step.QUIT if at.warned else Step.WARN


def on_end_of_file(at: Situation) -> Step:
    """Ctrl+D: an editing key where there is a draft, else quit."""
    if at.in_prompt and at.draft and not at.overlay:
        return Step.DELETE_RIGHT
    return on_quit(at)


def on_quit(at: Situation) -> Step:
    """Ctrl+Q: quit, with a question first where something would be lost."""
    if at.overlay:
        return Step.CLOSE_OVERLAY
    return Step.CONFIRM_QUIT if at.busy or at.unsaved else Step.QUIT
