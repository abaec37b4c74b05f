"""Signs that lines of text are made of."""

SEPARATOR = " \u00b7 "


def bar(share: float, length: int) -> str:
    """A bar of `length` characters, full at `share` 1."""
    full = round(share * length)
    return "\u2588" * full + "\u2591" * (length - full)
