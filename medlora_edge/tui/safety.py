"""The last filter before the terminal: whatever a widget draws, no character of it steers the terminal."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from medlora_edge.privacy import clean


class NoControls(LineFilter):
    """Cleans text; the control codes that Textual itself sends are no text and pass."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the filter's form
        """Same segments, cleaned; links taken off."""
        return [segment if segment.control else _inert(segment) for segment in segments]


def _inert(segment: Segment) -> Segment:
    text, style, control = segment
    safe = clean(text).replace("\n", " ").replace("\t", " ")
    if style and style.link:
        style = style.update_link(None)
    return segment if safe == text and style is segment.style else Segment(safe, style, control)
