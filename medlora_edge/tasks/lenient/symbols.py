"""A label mentioned in a text, as one private-use character, so that a pattern can speak about mentions."""

from enum import IntEnum

_FIRST = 0xE000
_WIDTH = 64
NOBODY = 63

ANY = "[\ue000-\ue0ff]"
LETTER = "[\ue000-\ue07f]"
TEXT = "[\ue080-\ue0bf]"
NOT_ANY = "\ue000-\ue0ff"


class Kind(IntEnum):
    """How a label is mentioned: a marked letter "(B)", a bare letter "B", its option's text, its word "yes"."""

    MARKED = 0
    BARE = 1
    TEXT = 2
    WORD = 3


def symbol(kind: Kind, place: int) -> str:
    """Character for label number `place`; `NOBODY` is a label that does not exist, or several at once."""
    return chr(_FIRST + _WIDTH * kind + min(place, NOBODY))


def kind_of(character: str) -> Kind:
    """Kind of a mention."""
    return Kind((ord(character) - _FIRST) // _WIDTH)


def place_of(character: str) -> int:
    """Number of the label, or `NOBODY`."""
    return (ord(character) - _FIRST) % _WIDTH
