"""The page of all settings, made from their model: `python -m medlora_edge.settings_reference > docs/settings.md`."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic import BaseModel

from medlora_edge.settings import Settings

BOUNDS = {"minimum": "at least", "maximum": "at most"}
TYPES = {"integer": "whole number", "boolean": "`true` or `false`"}
INTRODUCTION = """# Settings

`medlora-edge paths` says where the settings file lies. It is TOML; every setting is optional:

```toml
[engine]
context = 8192

[app]
theme = "light"
idle_minutes = 10
```

A mistake is named with its line, the setting, its value and what is allowed: commands end with exit code 2, the app
opens with the defaults and shows it. `NO_COLOR` in the environment takes the colours out of everything.

Made by `python -m medlora_edge.settings_reference > docs/settings.md`.
"""


def page() -> str:
    """The introduction; a heading, the meaning and rows for every table of the settings file."""
    parts = ((name, type(part)) for name, part in Settings())
    return "\n".join([INTRODUCTION, *(line for name, part in parts for line in _section(name, part))]).rstrip()


def _section(name: str, part: type[BaseModel]) -> Iterator[str]:
    yield from (f"## `[{name}]`", "", getdoc(part) or "", "")
    yield from ("| setting | what it is | allowed | unless given |", "|---|---|---|---|")
    for key, values in part.model_json_schema()["properties"].items():
        yield f"| `{key}` | {values['description']} | {_allowed(values)} | {_toml(values['default'])} |"
    yield ""


def _allowed(values: dict[str, Any]) -> str:
    if "anyOf" in values:
        return " or ".join(map(_allowed, values["anyOf"]))
    if "enum" in values or "const" in values:
        return ", ".join(map(_toml, values.get("enum", [values.get("const")])))
    bounds = [f"{words} {values[bound]:,}" for bound, words in BOUNDS.items() if bound in values]
    return ", ".join([TYPES[values["type"]], *bounds])


def _toml(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f'`"{value}"`'
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    print(page())
