"""A YAML file as plain values, with the line of every key: bounded, and without tags, anchors or duplicate keys."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from build_tools.recipe.problems import Loc, Problem, RecipeError
from medlora_edge.errors import UsageError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 24
NUMBER_PREFIXES = ("0x", "0o", "0b")


@dataclass
class Tree:
    """A document: its values, the line of each place in it, and what was wrong with its form."""

    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """Line of `loc`, or of the nearest place above it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


def read(path: Path) -> Tree:
    """Read one YAML document. Raises UsageError for a missing or too large file, RecipeError for what is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = _text(path)
    yaml = YAML(typ="safe", pure=True)
    try:
        _refuse_tricks(yaml, text, path)
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        raise RecipeError(path, [f"{path}:{_misread(error, len(text))}"]) from error
    except YAMLError as error:
        raise RecipeError(path, [f"{path}:1: not YAML: {str(error).splitlines()[0]}"]) from error
    tree = Tree()
    tree.data = _value(root, (), tree) if root is not None else None
    return tree


def _text(path: Path) -> str:
    if not path.is_file():
        what = "a folder, not a recipe file" if path.is_dir() else "no such recipe"
        raise UsageError(what, where=str(path), fix="give the path of a .yaml file")
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UsageError(f"too large for a recipe: more than {MAX_BYTES:,} bytes", where=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(path, [f"{path}:{line}: not UTF-8 text (byte {error.start})"]) from error


def _misread(error: Any, length: int) -> str:
    """Line and problem; what is missing at the end of the text began where its context did."""
    mark, what = error.problem_mark or error.context_mark, error.problem or error.context
    if error.context_mark and mark.index >= length:
        mark, what = error.context_mark, f"{error.context}: {error.problem}"
    return f"{mark.line + 1 if mark else 1}: not YAML: {what}"


def _refuse_tricks(yaml: Any, text: str, path: Path) -> None:
    """Tags, anchors, aliases and deep nesting, found before any value is built."""
    from ruamel.yaml import events

    found, depth = [], 0
    for event in yaml.parse(text):
        opens = isinstance(event, events.MappingStartEvent | events.SequenceStartEvent)
        depth += opens - isinstance(event, events.MappingEndEvent | events.SequenceEndEvent)
        trick = None
        if isinstance(event, events.AliasEvent) or getattr(event, "anchor", None):
            trick = "anchors and aliases are not read; write the value again"
        elif (opens or isinstance(event, events.ScalarEvent)) and event.tag:
            trick = f"tags are not read: {event.tag}"
        elif depth > MAX_DEPTH:
            trick = f"nested deeper than {MAX_DEPTH} levels"
        if trick:
            found.append(f"{path}:{event.start_mark.line + 1}: {trick}")
        if depth > MAX_DEPTH:
            break
    if found:
        raise RecipeError(path, found)


def _value(node: Any, loc: Loc, tree: Tree) -> Any:
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    tree.lines.setdefault(loc, node.start_mark.line + 1)
    match node:
        case ScalarNode():
            return _scalar(str(node.tag), node.value)
        case SequenceNode():
            return [_value(item, (*loc, index), tree) for index, item in enumerate(node.value)]
        case MappingNode():
            return _mapping(node, loc, tree)
    raise TypeError(type(node))


def _mapping(node: Any, loc: Loc, tree: Tree) -> dict[str, Any]:
    from ruamel.yaml.nodes import ScalarNode

    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            tree.problems.append(Problem(loc, f"a key that is not text (line {line})"))
            continue
        place = (*loc, key_node.value)
        if key_node.value in found:
            tree.problems.append(Problem(place, f"given twice: in line {tree.lines[place]} and in line {line}"))
            continue
        tree.lines[place] = line
        found[key_node.value] = _value(value_node, place, tree)
    return found


def _scalar(tag: str, text: str) -> Any:
    """A value by YAML 1.2's core schema; what only looks like a number stays text."""
    try:
        match tag.rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text.replace("_", ""), 0 if text.lstrip("+-").startswith(NUMBER_PREFIXES) else 10)
            case "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        pass
    return text
