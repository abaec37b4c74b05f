"""Something that happened and is no answer, as data: what a card shows."""

from dataclasses import dataclass

from medlora_edge.errors import MedloraError


@dataclass(frozen=True)
class Note:
    """`kind` is a word that is shown, not a colour alone: "error", "note", "warning"."""

    kind: str
    what: str
    where: str | None = None
    fix: str | None = None


def of_error(error: MedloraError) -> Note:
    """What a user can read of an error, and do about it."""
    return Note("error", error.what, error.where, error.fix)
