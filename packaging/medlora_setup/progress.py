"""How setup says what it is doing: `announce("unpack the app")` gives the function that counts the bytes of it."""

from collections.abc import Callable

Count = Callable[[int, int], None]
"""Takes bytes done and bytes in all."""
Announce = Callable[[str], Count]


def silent(_what: str) -> Count:
    """Say nothing."""
    return lambda _done, _total: None
