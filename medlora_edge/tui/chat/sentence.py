"""An error in one line, for a place that has no room for a card."""

from medlora_edge.errors import MedloraError


def sentence(error: MedloraError, *, fix: bool = True) -> str:
    """What went wrong and what to do about it."""
    what = error.what[:1].upper() + error.what[1:]
    return f"{what}: {error.fix}." if fix and error.fix else f"{what}."
