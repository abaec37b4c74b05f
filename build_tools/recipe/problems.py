"""What is wrong with a recipe, each with the place it stands at; all of it is told at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from medlora_edge.errors import UsageError

Loc = tuple[str | int, ...]  # keys and list indices from the top of the document

MOST_SHOWN = 100


@dataclass(frozen=True)
class Problem:
    """One mistake: the key it concerns and what is wrong with it."""

    loc: Loc
    what: str


class RecipeError(UsageError):
    """A recipe that cannot be used; its text has one line a problem."""

    def __init__(self, path: Path, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        count = len(self.lines)
        shown = [*self.lines[:MOST_SHOWN], *([f"... and {count - MOST_SHOWN} more"] if count > MOST_SHOWN else [])]
        counted = "1 problem" if count == 1 else f"{count} problems"
        super().__init__("\n".join([f"{counted} in {path}", *shown]), fix="mend the recipe; nothing was started")


def dotted(loc: Loc) -> str:
    """`stages[0].adapter.rank`, as messages name a key."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "the recipe"
