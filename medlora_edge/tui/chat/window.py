"""Which stretch of a long chat is mounted: the screen stays as fast with 300 turns as with three."""

from dataclasses import dataclass

WINDOW = 16  # entries mounted at first
STEP = 8  # more of them when their edge comes into view
MOST = 32  # then those farthest away go


@dataclass(frozen=True)
class Window:
    """Entries `first` to `last`, that one not included, of `total`."""

    first: int = 0
    last: int = 0
    total: int = 0

    @property
    def ends(self) -> bool:
        """Whether the last entry of all is in it."""
        return self.last == self.total

    def holds(self, place: int) -> bool:
        """Whether an entry is in it; what is before the first entry counts as -1 and goes with that."""
        return self.first <= max(0, place) < max(1, self.last)

    def grown(self) -> "Window":
        """One entry more at the end of the chat, seen from a window that holds the end."""
        last = self.total + 1
        return Window(max(self.first, last - MOST), last, last)

    def older(self) -> "Window":
        """More of what was before."""
        first = max(0, self.first - STEP)
        return Window(first, min(self.last, first + MOST), self.total)

    def newer(self) -> "Window":
        """More of what came after."""
        last = min(self.total, self.last + STEP)
        return Window(max(self.first, last - MOST), last, self.total)


def around(place: int, total: int) -> Window:
    """A window that holds an entry, a few others before it."""
    first = max(0, min(place - STEP // 2, total - WINDOW))
    return Window(first, min(total, first + WINDOW), total)
