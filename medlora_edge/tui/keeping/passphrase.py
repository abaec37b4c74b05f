"""What is asked of a passphrase being chosen, and of a recovery code that the user reads back from paper."""

import secrets

from medlora_edge.errors import UsageError

_MISREAD = str.maketrans("OIL", "011")


def chosen(first: str, second: str) -> str:
    """The passphrase, typed twice. Raises UsageError when the two differ."""
    if first != second:
        raise UsageError("the two are not the same", fix="type the passphrase twice")
    return first


def groups(code: str) -> list[str]:
    """A recovery code's groups, in order."""
    return code.split("-")


def lines(code: str) -> str:
    """A recovery code to be copied by hand: two lines of numbered groups."""
    parts = [f"{number}: {group}" for number, group in enumerate(groups(code), 1)]
    return "\n".join("   ".join(parts[at : at + 4]) for at in range(0, len(parts), 4))


def any_group(code: str) -> int:
    """The number of the group to be read back."""
    return secrets.choice(range(1, len(groups(code)) + 1))


def is_group(code: str, number: int, typed: str) -> bool:
    """Whether the group was read back, whichever way it was written."""
    return "".join(typed.upper().split()).translate(_MISREAD) == groups(code)[number - 1]
