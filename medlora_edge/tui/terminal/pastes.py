"""Pastes told from keys in what a terminal sends, also where the terminal does not mark them.

A terminal without bracketed paste sends pasted text as if it were typed: its first line break would press Enter, its
first tab would move the focus. No hand types a line in one read, so text that comes with a line break in one read is
taken for a paste, with all that follows without a pause.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGIN, END = "\x1b[200~", "\x1b[201~"
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")  # a key, a mouse move, an answer of the terminal
TYPED_AT_ONCE = 2  # characters that a slow line may deliver together with Enter
HELD_DOWN = 32  # characters in one read that a key held down may make
PAUSE_SECONDS = 0.05  # after which a paste that is not marked is over
STALLED_SECONDS = 2.0  # after which a paste whose end mark was lost is over


@dataclass(frozen=True)
class Typed:
    """To be read as keys."""

    text: str


@dataclass(frozen=True)
class Pasted:
    """A whole paste."""

    text: str


class Pastes:
    """Takes what was read. `now` is in seconds, on any clock."""

    def __init__(self) -> None:
        self._held = ""  # may become a mark with what comes next
        self._marked: list[str] | None = None  # of a paste between marks
        self._unmarked: list[str] | None = None  # of a paste without
        self._read_at = float("-inf")

    @property
    def under_way(self) -> bool:
        """Whether `rest` has something to decide."""
        return bool(self._held) or self._unmarked is not None

    def take(self, data: str, now: float) -> Iterator[Typed | Pasted]:
        """What one read brought, in order."""
        self._read_at = now
        data, self._held = self._held + data, ""
        while data:
            if self._unmarked is not None:
                self._unmarked.append(SEQUENCE.sub("", data))
                return
            wanted = BEGIN if self._marked is None else END
            text, mark, data = data.partition(wanted)
            if not mark:
                text, self._held = _without_begun_mark(text, wanted)
            ended = bool(mark) and self._marked is not None
            yield from self._text(text, bool(mark))
            if ended and data:  # a line break right behind it is no Enter either
                self._unmarked = []

    def rest(self, now: float) -> Iterator[Typed | Pasted]:
        """What is over now that nothing more came; call it now and then."""
        silence = now - self._read_at
        if self._marked is None and self._held:
            yield Typed(self._held)
            self._held = ""
        if self._marked is not None and silence >= STALLED_SECONDS:
            yield Pasted("".join(self._marked))
            self._marked = None
        if self._unmarked is not None and silence >= PAUSE_SECONDS:
            if text := "".join(self._unmarked):
                yield Pasted(text)
            self._unmarked = None

    def _text(self, text: str, before_mark: bool) -> Iterator[Typed | Pasted]:
        if self._marked is not None:
            self._marked.append(text)
            if before_mark:
                yield Pasted("".join(self._marked))
                self._marked = None
        elif no_hand_types(letters := SEQUENCE.sub("", text)):
            self._unmarked = [letters]
        else:
            if text:
                yield Typed(text)
            self._marked = [] if before_mark else None


def no_hand_types(letters: str) -> bool:
    """Whether this came too fast for keys."""
    printable = sum(letter.isprintable() for letter in letters)
    return printable > HELD_DOWN or (printable > TYPED_AT_ONCE and any(end in letters for end in "\r\n\t"))


def _without_begun_mark(text: str, mark: str) -> tuple[str, str]:
    """`text` up to the beginning of a mark that may follow, and that beginning."""
    begun = next((size for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), 0)
    return (text[:-begun], text[-begun:]) if begun else (text, "")
