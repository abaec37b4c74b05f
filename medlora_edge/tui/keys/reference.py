"""The page of all keys, made from the bindings: `python -m medlora_edge.tui.keys.reference > docs/keys.md`."""

from collections.abc import Iterator

from textual.binding import Binding, BindingType
from textual.keys import key_to_character

from medlora_edge.tui.keys import bindings

SUFFIX = "_KEYS"
NAMES = {"pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "space": "Space"}
SIGNS = {"slash": "/"}  # what Textual calls by another name than Unicode
INTRODUCTION = """# Keys of the app

F1 shows the keys that work where you are; Ctrl+P lists everything the app can do. Text boxes also know the editing keys
of a shell (Ctrl+A, E, K, U, W). The setting `send_key` swaps Enter and Ctrl+J.

Made by `python -m medlora_edge.tui.keys.reference > docs/keys.md`.
"""


def page() -> str:
    """The introduction; a heading and rows for every place that takes keys."""
    places = {name: keys for name, keys in vars(bindings).items() if name.endswith(SUFFIX)}
    return "\n".join([INTRODUCTION, *(line for name, keys in places.items() for line in _section(name, keys))]).rstrip()


def _section(name: str, keys: list[BindingType]) -> Iterator[str]:
    rows: dict[str, list[str]] = {}
    for binding in keys:
        if isinstance(binding, Binding):
            rows.setdefault(binding.description, []).extend(map(shown, binding.key.split(",")))
    yield from (f"## {name.removesuffix(SUFFIX).replace('_', ' ').capitalize()}", "", "| key | does |", "|---|---|")
    yield from (f"| {', '.join(dict.fromkeys(pressed))} | {does} |" for does, pressed in rows.items())
    yield ""


def shown(key: str) -> str:
    """A key as it stands on the keyboard: "Ctrl+J", "PgUp", "G" for the shifted letter."""
    *held, last = key.strip().split("+")
    letter = last if len(last) == 1 else SIGNS.get(last) or key_to_character(last)
    if letter and letter.isprintable() and last not in NAMES and not held:
        return f"`{letter}`"
    return "+".join([*map(str.capitalize, held), NAMES.get(last, last.capitalize())])


if __name__ == "__main__":
    print(page())
