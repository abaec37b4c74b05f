"""The models of a bundle as components: hash, licence, and whose data they were made from."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from medlora_bundle.component import Component, Data, Kind, Text
from medlora_bundle.extra_model import LICENCE_FILE, is_ours
from medlora_bundle.shipped import Shipped
from medlora_edge.models.manifest import FILE_NAME, Manifest, read_manifest

SHIPPED = "app/medlora_edge/shipped/"
NAMED = ("card.md", "articles.tsv")

Files = Mapping[str, Shipped]


def components(files: Files, licence: Text) -> tuple[Component, ...]:
    """One component for each model folder in the app. `licence`: the text of our own."""
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
        texts=tuple(_texts(own, manifest, licence)),
        data=tuple(_data(manifest)),
    )


def _texts(own: Iterable[Shipped], manifest: Manifest, licence: Text) -> list[Text]:
    """Card and licence that came with a model, and the list that the card points to; else our licence, if it is that.

    None for a model under another licence whose text did not come: `licences.collect` refuses it.
    """
    named = [file for file in own if file.here.name in NAMED or file.here.match(LICENCE_FILE)]
    texts = [Text(file.here.name, file.here.read_bytes()) for file in named]
    if any(file.here.match(LICENCE_FILE) for file in named):
        return texts
    return [*texts, licence] if is_ours(manifest.licence or "") else []


def _data(manifest: Manifest) -> list[Data]:
    card: Any = manifest.lineage.get("card")
    listed = card.get("attribution", []) if isinstance(card, dict) else []
    return [Data(one["name"], one["licence"], one["source"], one["by"]) for one in listed]
