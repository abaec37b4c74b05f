"""The contents list and the licence texts of a real bundle: all that is in it, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medlora_setup.archive_contents import read_contents
from medlora_setup.manifest import read

Json = dict[str, Any]
NATIVE = {"ggml", "libffi", "libgfortran", "libsodium", "llama.cpp", "openblas", "openssl", "sqlcipher", "sqlite"}


@pytest.fixture(scope="module")
def listed(bundle: Path) -> list[Json]:
    """The components of the contents list."""
    components: list[Json] = json.loads((bundle / "sbom" / "bundle.cdx.json").read_bytes())["components"]
    return components


def every(components: list[Json]) -> Iterator[Json]:
    for one in components:
        yield one
        yield from every(one.get("components", []))


def test_every_byte_is_in_the_contents_list(bundle: Path, listed: list[Json]) -> None:
    contents = read_contents((bundle / "payload" / "contents.json").read_bytes())
    unpacked = {file.path: file.sha256 for files in contents.values() for file in files}
    beside = {file.path: file.sha256 for file in read((bundle / "manifest.json").read_bytes()).files}
    del beside["sbom/bundle.cdx.json"]
    files = {one["name"]: one["hashes"][0]["content"] for one in every(listed) if one["type"] == "file"}
    assert files == unpacked | beside


def test_libraries_that_no_metadata_name_are_in_it(listed: list[Json]) -> None:
    found = {one["name"]: one for one in every(listed)}
    assert set(found) >= NATIVE
    assert found["llama.cpp"]["purl"].startswith("pkg:github/ggml-org/llama.cpp@")
    assert len(found["llama.cpp"]["purl"].rpartition("@")[2]) == 40
    files = {one["name"].partition(".so")[0] for one in found["llama.cpp"]["components"]}
    assert files == {"app/llama_cpp/lib/libllama"}
    assert found["libssl3"]["purl"].startswith("pkg:deb/debian/libssl3@")


def test_wheels_have_the_hash_of_the_lock(fetched: Path, listed: list[Json]) -> None:
    lock = json.loads((fetched / "lock.json").read_bytes())
    due = {file["name"]: file["sha256"] for file in lock["files"] if file["purpose"] == "app"}
    found = {one["name"]: one["hashes"][0]["content"] for one in listed if one["name"] in due}
    assert found == due


def test_the_package_with_an_unmended_advisory_is_not_there(listed: list[Json]) -> None:
    (stand_in,) = (one for one in listed if one["name"] == "diskcache")
    assert (stand_in["version"], stand_in.get("purl")) == ("9999+inert", None)
    code = [one["name"] for one in stand_in["components"] if one["name"].endswith(".py")]
    assert code == ["app/diskcache/__init__.py"]


def test_the_model_says_whose_data_it_was_made_from(listed: list[Json]) -> None:
    (starter,) = (one for one in listed if one["type"] == "machine-learning-model")
    shipped = json.loads(Path("models/starter/manifest.json").read_bytes())
    assert starter["hashes"][0]["content"] == shipped["sha256"]
    assert starter["licenses"] == [{"expression": "Apache-2.0"}]
    data = starter["modelCard"]["modelParameters"]["datasets"]
    assert len(data) == len(shipped["lineage"]["card"]["attribution"])


def test_every_component_has_its_licence_text(bundle: Path, listed: list[Json]) -> None:
    rows = (bundle / "licences" / "INDEX.txt").read_text(encoding="utf-8").splitlines()[1:]
    index = {row.split(" | ")[0]: row.split(" | ")[3] for row in rows}
    assert set(index) >= {one["name"] for one in listed if one["type"] != "file"} | NATIVE
    folders = [place for place in index.values() if place.endswith("/")]
    assert all(any((bundle / "licences" / place).rglob("*")) for place in folders)
    assert "The ggml authors" in (bundle / "licences" / index["llama.cpp"] / "LICENSE").read_text()
    assert "ZETETIC" in (bundle / "licences" / index["sqlcipher"] / "sqlcipher.txt").read_text()
    assert (bundle / "licences" / "starter" / "articles.tsv").is_file()


def test_it_is_small_enough_to_be_read(bundle: Path) -> None:
    assert (bundle / "sbom" / "bundle.cdx.json").stat().st_size < 4 << 20
