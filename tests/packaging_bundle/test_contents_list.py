"""The contents list: every file and component with its hash, the same bytes each time, nothing that is not there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medlora_bundle import contents_list, owners
from medlora_bundle.shipped import Shipped, lying_in
from medlora_edge.errors import GateError
from tests.packaging_bundle.small_tree import HASHES, shipped, whole

EPOCH = 1_763_596_800
Json = dict[str, Any]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "install.sh").write_text("#!/bin/sh\n")
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Shipped]:
    return shipped(tmp_path / "unpacked", whole())


def listed(bundle: Path, files: dict[str, Shipped], epoch: int = EPOCH) -> Json:
    contents_list.write(bundle, owners.components(files, HASHES, {}), lying_in(bundle), epoch)
    content: Json = json.loads((bundle / contents_list.PLACE).read_bytes())
    return content


def every(components: list[Json]) -> Iterator[Json]:
    for one in components:
        yield one
        yield from every(one.get("components", []))


def test_head(bundle: Path, files: dict[str, Shipped]) -> None:
    head = listed(bundle, files)
    assert (head["bomFormat"], head["specVersion"], head["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", head["serialNumber"])
    assert head["metadata"]["timestamp"] == "2025-11-20T00:00:00Z"


def test_every_file_is_listed_once_with_its_hash(bundle: Path, files: dict[str, Shipped]) -> None:
    entries = [one for one in every(listed(bundle, files)["components"]) if one["type"] == "file"]
    found = {one["name"]: one["hashes"] for one in entries}
    assert len(entries) == len(found)
    assert set(found) == {*files, "install.sh"}
    assert all(found[path] == [{"alg": "SHA-256", "content": file.sha256}] for path, file in files.items())


def test_references_are_unique(bundle: Path, files: dict[str, Shipped]) -> None:
    references = [one["bom-ref"] for one in every(listed(bundle, files)["components"])]
    assert len(references) == len(set(references))


def test_a_wheel_has_version_address_licence_and_the_hash_of_the_lock(bundle: Path, files: dict[str, Shipped]) -> None:
    (plain,) = (one for one in listed(bundle, files)["components"] if one["name"] == "plain")
    assert (plain["type"], plain["version"], plain["purl"]) == ("library", "1.0", "pkg:pypi/plain@1.0")
    assert plain["licenses"] == [{"expression": "MIT"}]
    assert plain["hashes"] == [{"alg": "SHA-256", "content": HASHES["plain"]}]


def test_a_model_is_one_and_says_whose_data_it_is(bundle: Path, files: dict[str, Shipped]) -> None:
    (small,) = (one for one in listed(bundle, files)["components"] if one["type"] == "machine-learning-model")
    assert small["hashes"] == [{"alg": "SHA-256", "content": "c" * 64}]
    (data,) = small["modelCard"]["modelParameters"]["datasets"]
    assert data["description"] == "By Their Authors. Licence: CC BY 4.0."


def test_the_same_bytes_from_the_same_content(bundle: Path, files: dict[str, Shipped], tmp_path: Path) -> None:
    listed(bundle, files)
    first = (bundle / contents_list.PLACE).read_bytes()
    (bundle / contents_list.PLACE).unlink()
    elsewhere = shipped(tmp_path / "elsewhere", dict(reversed(whole().items())))
    listed(bundle, elsewhere)
    assert (bundle / contents_list.PLACE).read_bytes() == first


def test_another_content_has_another_serial_number(bundle: Path, files: dict[str, Shipped]) -> None:
    first = listed(bundle, files)["serialNumber"]
    (bundle / contents_list.PLACE).unlink()
    (bundle / "install.sh").write_text("#!/bin/sh\nexit\n")
    assert listed(bundle, files)["serialNumber"] != first


def test_a_licence_that_is_no_expression_keeps_its_makers_name(bundle: Path, files: dict[str, Shipped]) -> None:
    components = {one["name"]: one for one in listed(bundle, files)["components"]}
    assert components["zlib1g"]["licenses"] == [{"expression": "Zlib"}]
    assert contents_list.licence_entry("BSD License") == {"license": {"name": "BSD License"}}


def test_a_complete_list_passes(bundle: Path, files: dict[str, Shipped]) -> None:
    beside = lying_in(bundle)
    listed(bundle, files)
    contents_list.require_complete(bundle, [*files.values(), *beside.values()])


@pytest.mark.parametrize("change", ["extra", "missing", "changed"])
def test_a_list_that_differs_from_the_bundle_is_refused(bundle: Path, files: dict[str, Shipped], change: str) -> None:
    everything = {**files, **lying_in(bundle)}
    listed(bundle, files)
    path = "app/plain/__init__.py"
    file = everything.pop(path)
    if change == "extra":
        everything |= {path: file, "app/other.py": Shipped("app/other.py", file.here, file.size, file.sha256)}
    if change == "changed":
        everything[path] = Shipped(path, file.here, file.size, "0" * 64)
    with pytest.raises(GateError, match="app/other.py" if change == "extra" else path):
        contents_list.require_complete(bundle, list(everything.values()))
