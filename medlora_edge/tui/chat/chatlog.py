"""The turns of a chat as data: every question once, with its variants, one of which is shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from medlora_edge.errors import MedloraError
from medlora_edge.history import Turn, TurnState
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.session.events import Ended, EngineRestarted, Said, SessionEvent, Verdict

UNFINISHED = (TurnState.STOPPED, TurnState.CUT, TurnState.FAILED, TurnState.INTERRUPTED)


@dataclass
class Entry:
    """A question. `variants`: its answers in the order asked, never none; `at`: the one that is shown."""

    variants: list[Turn]
    at: int = 0

    @property
    def turn(self) -> Turn:
        """The variant that is shown."""
        return self.variants[self.at]


@dataclass
class ChatLog:
    """`errors`: what ended a turn that failed, by its id; `notes`: what happened behind an entry, by its place, -1 for
    what came before the first one.
    """

    entries: list[Entry] = field(default_factory=list)
    errors: dict[int, MedloraError] = field(default_factory=dict)
    notes: dict[int, list[Note]] = field(default_factory=dict)

    def open(self, turns: Iterable[Turn]) -> None:
        """The turns of a kept chat: of each question the last whole answer is shown, else the last one."""
        self.entries, self.errors, self.notes = [], {}, {}
        for turn in turns:
            self.begin(turn)
        for entry in self.entries:
            whole = [at for at, turn in enumerate(entry.variants) if turn.state is TurnState.DONE]
            entry.at = whole[-1] if whole else len(entry.variants) - 1

    def begin(self, turn: Turn) -> int:
        """One more turn, shown at once; returns the place of its entry: a variant stands with the others."""
        place = self.place(turn.retry_of)
        if place is None:
            self.entries.append(Entry([turn]))
            return len(self.entries) - 1
        entry = self.entries[place]
        entry.variants.append(turn)
        entry.at = len(entry.variants) - 1
        return place

    def note(self, note: Note) -> int:
        """Something happened; returns the place of the entry it stands behind."""
        place = len(self.entries) - 1
        self.notes.setdefault(place, []).append(note)
        return place

    def hear(self, event: SessionEvent) -> Turn | None:
        """Note what was said of a turn; returns the turn, None where the event is about none."""
        number = getattr(event, "turn", None)
        place = self.place(number)
        if place is None:
            return None
        variants = self.entries[place].variants
        at = next(at for at, turn in enumerate(variants) if turn.id == number)
        variants[at] = heard(variants[at], event)
        if isinstance(event, Ended) and event.error:
            self.errors[event.turn] = event.error
        return variants[at]

    def walk(self, number: int, step: int) -> int | None:
        """Show the next variant, or the one before; returns the place of the entry, None where there is no other."""
        place = self.place(number)
        if place is None:
            return None
        entry = self.entries[place]
        at = min(max(0, entry.at + step), len(entry.variants) - 1)
        if at == entry.at:
            return None
        entry.at = at
        return place

    def show(self, place: int, number: int | None) -> None:
        """Show a certain variant of an entry."""
        entry = self.entries[place]
        entry.at = next(at for at, turn in enumerate(entry.variants) if turn.id == number)

    def place(self, number: int | None) -> int | None:
        """Of the entry that a turn belongs to; the last ones are looked at first."""
        for place in reversed(range(len(self.entries))):
            if any(turn.id == number for turn in self.entries[place].variants):
                return place
        return None

    @property
    def shown(self) -> frozenset[int]:
        """Ids of the turns that are shown."""
        return frozenset(entry.turn.id for entry in self.entries)


def unfinished(turn: Turn) -> bool:
    """Whether there is an answer that could be written on."""
    return bool(turn.answer) and turn.state in UNFINISHED


def heard(turn: Turn, event: SessionEvent) -> Turn:
    """The turn after what was said of it."""
    match event:
        case Said():
            return replace(turn, answer=turn.answer + event.text, state=TurnState.ANSWERING)
        case EngineRestarted():
            return replace(turn, answer="")
        case Verdict():
            return replace(turn, label=event.label, label_probs=event.probs)
        case Ended():
            return replace(
                turn,
                answer=event.answer,
                state=event.state,
                label=event.label,
                label_probs=event.label_probs,
                timings=event.timings,
            )
    return turn
