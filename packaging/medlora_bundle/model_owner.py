"""The models of a bundle as components: hash, licence, and whose data they were made from."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from medlora_bundle.component import Component, Data, Kind, Text
from medlora_bundle.shipped import Shipped
from medlora_edge.models.manifest import FILE_NAME, Manifest, read_manifest

SHIPPED = "app/medlora_edge/shipped/"
CARD = "card.md"

Files = Mapping[str, Shipped]


def components(files: Files, licence: Text) -> tuple[Component, ...]:
    """One component for each model folder in the app. `licence`: the text of our own, under which our models stand."""
    folders = [PurePosixPath(path).parent for path in files if _is_manifest(path)]
    return tuple(_component(files, str(folder), licence) for folder in folders)


def _is_manifest(path: str) -> bool:
    return path.startswith(SHIPPED) and path.count("/") == SHIPPED.count("/") + 1 and path.endswith(f"/{FILE_NAME}")


def _component(files: Files, folder: str, licence: Text) -> Component:
    own = tuple(file for path, file in files.items() if path.startswith(f"{folder}/"))
    manifest = read_manifest(files[f"{folder}/{FILE_NAME}"].here.parent)
    return Component(
        name=manifest.name,
        version=manifest.sha256[:12],
        kind=Kind.MODEL,
        licence=manifest.licence or "not stated",
        sha256=manifest.sha256,
        files=own,
        texts=tuple(_texts(own, folder, licence)),
        data=tuple(_data(manifest)),
    )


def _texts(own: Iterable[Shipped], folder: str, licence: Text) -> list[Text]:
    """The card with the list that it points to, and our licence; a model without a card has its manifest instead."""
    by_name = {file.path.removeprefix(f"{folder}/"): file for file in own}
    if CARD not in by_name:
        return [Text(FILE_NAME, by_name[FILE_NAME].here.read_bytes())]
    named = [by_name[name] for name in (CARD, "articles.tsv") if name in by_name]
    return [*(Text(file.here.name, file.here.read_bytes()) for file in named), licence]


def _data(manifest: Manifest) -> list[Data]:
    card: Any = manifest.lineage.get("card")
    listed = card.get("attribution", []) if isinstance(card, dict) else []
    return [Data(one["name"], one["licence"], one["source"], one["by"]) for one in listed]
