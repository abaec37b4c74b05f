"""The contents list of a bundle as CycloneDX 1.6: every component and every file with its SHA-256, from the bytes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from medlora_bundle.component import Component, Kind
from medlora_bundle.shipped import Shipped
from medlora_edge.errors import GateError

PLACE = "sbom/bundle.cdx.json"

Json = dict[str, Any]


def write(bundle: Path, components: Sequence[Component], files: Mapping[str, Shipped], epoch: int) -> None:
    """Write the list of `components` and of the `files` that lie in the bundle's own folder into `bundle`.

    The same components and files give the same bytes; `epoch` is the list's time, in seconds since 1970.
    """
    (ours,) = (one for one in components if one.kind is Kind.APPLICATION)
    listed = [*map(_component, components), *(_file(file, "bundle") for file in files.values())]
    content = {"metadata": _metadata(ours, epoch), "components": listed}
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial.urn, "version": 1}
    target = bundle / PLACE
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(head | content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def require_complete(bundle: Path, files: Sequence[Shipped]) -> None:
    """Compare the list that lies in `bundle` with `files`: all that the bundle brings.

    Raises GateError (exit 5) naming a file that is not in the list, one that is in the list alone, and one that
    differs or is listed twice.
    """
    listed = list(_files_in(json.loads((bundle / PLACE).read_text(encoding="utf-8"))["components"]))
    there = [(file.path, file.sha256, str(file.size)) for file in files]
    if wrong := sorted({path for path, *_ in set(listed) ^ set(there)}):
        raise GateError(f"the contents list and the bundle differ in: {', '.join(wrong[:5])}", where=PLACE)
    if len(listed) != len(set(listed)):
        raise GateError("the contents list has a file twice", where=PLACE)


def _metadata(ours: Component, epoch: int) -> Json:
    time = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    subject = {"type": "application", "bom-ref": "bundle", "name": f"{ours.name}-bundle", "version": ours.version}
    return {"timestamp": time, "component": subject}


def _component(one: Component, owner: str = "") -> Json:
    ref = f"{owner}{one.label}"
    entry: Json = {"type": one.kind.value, "bom-ref": ref, "name": one.name}
    entry |= {"version": one.version} if one.version else {}
    entry |= {"description": one.summary} if one.summary else {}
    entry |= {"hashes": [_hash(one.sha256)]} if one.sha256 else {}
    entry["licenses"] = [licence_entry(one.licence)]
    entry |= {"purl": one.purl} if one.purl else {}
    entry |= {"evidence": {"occurrences": [{"location": path} for path in one.inside]}} if one.inside else {}
    entry |= {"modelCard": _model_card(one)} if one.data else {}
    nested = [_component(part, f"{ref}: ") for part in one.parts] + [_file(file, "laptop") for file in one.files]
    return entry | ({"components": nested} if nested else {})


def _file(file: Shipped, place: str) -> Json:
    properties = [{"name": "medlora-edge:size", "value": str(file.size)}]
    if soname := file.soname():
        properties.append({"name": "medlora-edge:soname", "value": soname})
    return {
        "type": "file",
        "bom-ref": f"{place}:{file.path}",
        "name": file.path,
        "hashes": [_hash(file.sha256)],
        "properties": properties,
    }


def licence_entry(text: str) -> Json:
    """An SPDX expression where it is one; else what the maker calls it."""
    try:
        return {"expression": str(canonicalize_license_expression(text))}
    except InvalidLicenseExpression:
        return {"license": {"name": text}}


def _hash(sha256: str) -> Json:
    return {"alg": "SHA-256", "content": sha256}


def _model_card(model: Component) -> Json:
    data = [
        {
            "type": "dataset",
            "name": one.name,
            "contents": {"url": one.source},
            "description": f"By {one.by}. Licence: {one.licence}.",
        }
        for one in model.data
    ]
    return {"modelParameters": {"datasets": data}}


def _files_in(entries: Sequence[Json]) -> Iterator[tuple[str, str, str]]:
    for entry in entries:
        if entry["type"] == "file":
            yield entry["name"], entry["hashes"][0]["content"], entry["properties"][0]["value"]
        yield from _files_in(entry.get("components", []))
