"""Contents lists that wheels carry (PEP 770): what was compiled into them, as their makers say."""

import json
from collections.abc import Iterator
from typing import Any

from medlora_bundle.component import Component, Kind

FOLDER = ".dist-info/sboms/"


def parts(wheel: Component) -> Iterator[Component]:
    """The parts that the lists (CycloneDX, JSON) of one wheel name. They hold licences but no texts."""
    for file in wheel.files:
        if FOLDER in file.path and file.path.endswith(".json"):
            listed: Any = json.loads(file.here.read_text(encoding="utf-8"))
            inside = tuple(other.path for other in wheel.files if other.path.endswith(".so"))
            for entry in listed.get("components", []):
                yield _component(entry, inside)


def _component(entry: dict[str, Any], inside: tuple[str, ...]) -> Component:
    return Component(
        name=entry["name"],
        version=entry.get("version"),
        kind=Kind.LIBRARY,
        licence=_licence(entry.get("licenses", [])),
        purl=entry.get("purl"),
        inside=inside,
        maker_says=True,
    )


def _licence(licences: list[dict[str, Any]]) -> str:
    named = [one.get("expression") or one["license"].get("id") or one["license"]["name"] for one in licences]
    return " AND ".join(named) or "not stated"
