"""Markdown to blocks: headings, lists, tables, fences, quotes, emphasis; HTML stays the text it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from textual.content import Content

from medlora_edge.tui.markdown.inline import QUIET, TAB, lines, shown
from medlora_edge.tui.markdown.rows import Block, CodeLine, Line, Table

BULLETS = "\u2022\u25e6\u25aa"
QUOTE = "\u2502 "
CODE = "\u250a "
RULE = "\u2500" * 12
HEADINGS = {"h1": "bold underline $primary", "h2": "bold underline $primary"}
HEADING = "bold $primary"


@dataclass(frozen=True)
class Part:
    """A block of the top level, and the line of the text on which it begins; `items`: where a list's own begin."""

    blocks: tuple[Block, ...]
    kind: str
    begin: int
    items: tuple[int, ...] = ()


def parts(text: str) -> list[Part]:
    """The blocks of a text. A part holds the blank line that stands before it."""
    source = text.split("\n")
    return [_part(node, source) for node in SyntaxTreeNode(_parser().parse(text)).children]


@cache
def _parser() -> MarkdownIt:
    # Without references a text's beginning does not depend on its end.
    parser = MarkdownIt("commonmark", {"html": False})
    return parser.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "reference"])


def _part(node: SyntaxTreeNode, source: Sequence[str]) -> Part:
    begin = _begin(node)
    gap = (Line(Content("")),) if begin and not source[begin - 1].strip() else ()
    items = tuple(_begin(item) for item in node.children if item.type == "list_item")
    return Part((*gap, *_drawn(node, "", "")), node.type, begin, items)


def _begin(node: SyntaxTreeNode) -> int:
    return node.map[0] if node.map else 0


def _drawn(node: SyntaxTreeNode, first: str, rest: str) -> Iterator[Block]:
    """Blocks of a node; `first` stands before its first line, `rest` before the others."""
    match node.type:
        case "paragraph" | "heading":
            style = HEADINGS.get(node.tag, HEADING) if node.type == "heading" else ""
            for line in lines(_words(node), style):
                yield Line(line, first, rest)
                first = rest
        case "bullet_list" | "ordered_list":
            for item in node.children:
                yield from _inside(item, first + _marker(item), rest + " " * len(_marker(item)))
                first = rest
        case "blockquote":
            yield from _inside(node, first + QUOTE, rest + QUOTE)
        case "fence" | "code_block":
            for code in node.content.removesuffix("\n").expandtabs(TAB).split("\n"):
                yield CodeLine(shown(code), first + CODE)
                first = rest
        case "table":
            yield _table(node, rest)
        case "hr":
            yield Line(shown(RULE, QUIET), first, rest)


def _inside(node: SyntaxTreeNode, first: str, rest: str) -> Iterator[Block]:
    drawn = False
    for place, child in enumerate(node.children):
        if place and child.type == "paragraph" and not child.hidden:
            yield Line(Content(""), rest, rest)
        for block in _drawn(child, first, rest):
            yield block
            drawn = True
        first = rest
    if not drawn:
        yield Line(Content(""), first, rest)


def _marker(item: SyntaxTreeNode) -> str:
    if item.info:
        return f"{item.info}{item.markup} "
    depth, above = -1, item.parent
    while above:
        depth += above.type == "bullet_list"
        above = above.parent
    return BULLETS[min(depth, len(BULLETS) - 1)] + " "


def _words(node: SyntaxTreeNode) -> Sequence[Token]:
    inline = node.children[0].token if node.children else None
    return (inline and inline.children) or ()


def _table(node: SyntaxTreeNode, first: str) -> Table:
    rows = [row for part in node.children for row in part.children]
    cells = tuple(tuple(Content(" ").join(lines(_words(cell))) for cell in row.children) for row in rows)
    aligns = tuple(str(cell.attrs.get("style", "")).rpartition(":")[2] or "left" for cell in rows[0].children)
    return Table((_bold(cells[0]), *cells[1:]), aligns, first)


def _bold(cells: Sequence[Content]) -> tuple[Content, ...]:
    return tuple(cell.stylize("bold") for cell in cells)
