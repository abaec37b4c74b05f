"""Emphasis, code and links inside a line: styled text, and never anything that can be clicked."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from textual.content import Content

from medlora_edge.tui.widgets.plain import plain

CODE = "$accent"
QUIET = "$quiet"
TAB = 4  # cells
STYLES = {"strong": "bold", "em": "italic", "s": "strike", "link": "underline"}


def lines(tokens: Sequence[Token], style: str = "") -> list[Content]:
    """One Content a line of the source; cleaned here, after entities such as `&#x202e;` became characters."""
    parts = [shown(text.expandtabs(TAB), look) for text, look in _parts(tokens, style)]
    return Content("").join(parts).split("\n", allow_blank=True) or [Content("")]


def shown(text: str, style: str = "") -> Content:
    """Cleaned text in one style."""
    return plain(text, style.strip())


def _parts(tokens: Sequence[Token], style: str) -> Iterator[tuple[str, str]]:
    looks: list[str] = [style]
    targets: list[str] = []
    for token in tokens:
        kind, _, side = token.type.rpartition("_")
        if side == "open" and kind in STYLES:
            looks.append(f"{looks[-1]} {STYLES[kind]}")
            targets.append(_target(token))
        elif side == "close" and kind in STYLES:
            looks.pop()
            yield targets.pop(), QUIET
        else:
            yield _text(token), f"{looks[-1]} {CODE}" if token.type == "code_inline" else looks[-1]


def _text(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return f"[image: {token.content}]"
        case _:
            return token.content


def _target(token: Token) -> str:
    """An address that is not shown already."""
    address = token.attrGet("href")
    return f" ({address})" if address and token.markup != "autolink" else ""
