"""Puts short documents side by side into rows: best fit, the longest first."""

from collections import defaultdict
from collections.abc import Sequence

from build_tools.data.rows import Row, joined


def pack(documents: Sequence[Row], max_length: int) -> tuple[Row, ...]:
    """Rows of at most `max_length` tokens; a document is never cut.

    Best-fit decreasing: each document, from the longest on, goes where it leaves the least room (Johnson et al. 1974;
    for training, Ding et al. 2024). Rows stand in the order of their first document. Raises ValueError for a document
    that no row can hold.
    """
    rows = _Bins(max_length)
    for number in sorted(range(len(documents)), key=lambda number: -_length(documents[number])):
        length = _length(documents[number])
        if length > max_length:
            raise ValueError(f"document {documents[number].ids} has {length} tokens, a row {max_length}")
        rows.put(number, length)
    ordered = sorted(sorted(numbers) for numbers in rows.content)
    return tuple(joined([documents[number] for number in numbers]) for numbers in ordered)


class _Bins:
    """Rows under way; the fullest one that still has room is found without looking at the others."""

    def __init__(self, size: int) -> None:
        self.content: list[list[int]] = []
        self._size = size
        self._with_room: dict[int, list[int]] = defaultdict(list)  # free tokens -> bins
        self._rooms = 0  # bit n is set where a bin has n tokens free

    def put(self, number: int, length: int) -> None:
        """Put document `number` where it leaves the least room, or into a new bin."""
        fitting = self._rooms >> length << length
        if fitting:
            room = (fitting & -fitting).bit_length() - 1
            chosen = self._take(room)
        else:
            room, chosen = self._size, len(self.content)
            self.content.append([])
        self.content[chosen].append(number)
        self._with_room[room - length].append(chosen)
        self._rooms |= 1 << (room - length)

    def _take(self, room: int) -> int:
        chosen = self._with_room[room].pop()
        if not self._with_room[room]:
            self._rooms ^= 1 << room
        return chosen


def _length(row: Row) -> int:
    return len(row.input_ids)
