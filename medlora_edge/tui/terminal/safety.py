"""The last filter before the terminal: nothing that a widget draws steers the terminal or acts on a click."""

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from medlora_edge.privacy import clean

SCROLLBAR = {"grab", "scroll_up", "scroll_down"}  # what Textual's own parts do where they are pressed


class NoControls(LineFilter):
    """Cleans text; the control codes that Textual itself sends are no text and pass."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the filter's form
        """Same segments, cleaned; links and actions that markup may have put into them taken off."""
        return [segment if segment.control else _inert(segment) for segment in segments]


def _inert(segment: Segment) -> Segment:
    text, style, control = segment
    safe = clean(text).replace("\n", " ").replace("\t", " ")
    dead = _without_reach(style)
    return segment if safe == text and dead is style else Segment(safe, dead, control)


def _without_reach(style: Style | None) -> Style | None:
    if style is None:
        return None
    meta = style.meta
    harmless = {key: value for key, value in meta.items() if not key.startswith("@") or value in SCROLLBAR}
    if not style.link and len(harmless) == len(meta):
        return style
    bare = style.clear_meta_and_links()
    return bare + Style.from_meta(harmless) if harmless else bare
