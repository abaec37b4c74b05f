"""A text that grows: what its next words cannot change is parsed once, so that the whole costs what its length is."""

from collections.abc import Iterable
from itertools import chain

from medlora_edge.privacy import clean
from medlora_edge.tui.markdown.parse import Part, parts
from medlora_edge.tui.markdown.rows import Block

LONGEST = 4000  # characters of a part that still grows; a longer one is cut where that shows least
OPENING = {"fence": 1, "table": 2}  # lines without which what follows is no longer read as part of it


class Growing:
    """`settled` blocks only ever become more; `end` is drawn anew with every word.

    `cut`: a part was too long to wait for its end, so that `whole` might read the text differently.
    """

    def __init__(self) -> None:
        self.settled: list[Block] = []
        self.end: list[Block] = []
        self.cut = False
        self._rest = ""
        self._again = ""  # lines that must stand before the rest for it to go on as what it is part of

    def feed(self, text: str) -> None:
        """Go on."""
        text = clean(text)
        self._rest = self._rest + text if self._rest or self.settled else text.lstrip("\n")
        if "\n" in text:
            self._settle()
        if len(self._rest) > LONGEST:
            self._cut()
        self.end = _blocks(parts(self._again + self._rest))

    def _settle(self) -> None:
        """Only lines that are whole tell where a block ends: `*` may begin an item, `**a` goes on in the one before."""
        found = parts(self._again + self._whole)
        if len(found) < 2:
            return
        self.settled += _blocks(found[:-1])
        lines = (self._again + self._rest).split("\n")
        self._rest = "\n".join(lines[_with_gap(found[-1].begin, lines) :])
        self._again = ""

    def _cut(self) -> None:
        self.cut = True
        text = self._again + self._whole
        last = parts(text)[-1] if text else None
        if last and len(last.items) > 1:
            lines = (self._again + self._rest).split("\n")
            place = _with_gap(last.items[-1], lines)
            self._keep("\n".join(lines[:place]), "\n".join(lines[place:]))
            return
        place = len(self._whole) or self._rest.rfind(" ") + 1 or len(self._rest)
        self._keep(self._again + self._rest[:place], self._rest[place:], _again(text, last))

    def _keep(self, text: str, rest: str, again: str = "") -> None:
        self.settled += _blocks(parts(text))
        self._rest, self._again = rest, again

    @property
    def _whole(self) -> str:
        return self._rest[: self._rest.rfind("\n") + 1]


def whole(text: str) -> list[Block]:
    """Blocks of a text that no longer grows."""
    return _blocks(parts(clean(text).lstrip("\n")))


def _blocks(found: Iterable[Part]) -> list[Block]:
    return list(chain.from_iterable(part.blocks for part in found))


def _with_gap(begin: int, lines: list[str]) -> int:
    """The line on which a block begins, or the blank one before it."""
    return begin - 1 if begin and not lines[begin - 1].strip() else begin


def _again(text: str, last: Part | None) -> str:
    """The lines that open a fence or a table which is still open at the end of `text`."""
    if last is None or last.kind not in OPENING or len(parts(f"{text}x\n")) > 1:
        return ""
    lines = text.lstrip("\n").split("\n")
    return "".join(f"{line}\n" for line in lines[: OPENING[last.kind]])
