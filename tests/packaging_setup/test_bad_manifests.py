"""Correctly signed manifests that are not as they must be: exit 3, naming the field, whatever it is."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from medlora_setup.manifest import MAX_BYTES, read, write
from medlora_setup.verify import MANIFEST
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import require_refusal

Values = dict[str, Any]
Place = tuple[str | int, ...]
HASH = "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle of a manifest alone: it is refused before anything else is looked at."""
    (tmp_path / "bundle").mkdir()
    return tmp_path / "bundle"


def good() -> Values:
    contents = dict.fromkeys(
        (*toy.PAYLOAD, "install.sh", "keys/release.pub", "models/tiny/part-000", "models/tiny/part-001"), b"x"
    )
    manifest = toy.manifest_of(toy.Toy(models={"tiny": (b"x", b"x")}), contents)
    values: Values = json.loads(write(manifest))
    return values


def refuse(bundle: Path, values: object, *says: str) -> None:
    refuse_bytes(bundle, canonical(values), *says)


def refuse_bytes(bundle: Path, data: bytes, *says: str) -> None:
    toy.sign_bytes(bundle, data, "any")
    require_refusal(bundle, MANIFEST, *says)


def canonical(values: object) -> bytes:
    return (json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def leaves(value: object, place: Place = ()) -> Iterator[Place]:
    """Every place in the manifest, containers included; of a list the first entry only."""
    if place:
        yield place
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*place, name))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*place, 0))


def at(values: Values, place: Place) -> Any:
    found: Any = values
    for step in place:
        found = found[step]
    return found


def put(values: Values, place: Place, value: object) -> Values:
    changed = copy.deepcopy(values)
    at(changed, place[:-1])[place[-1]] = value
    return changed


PLACES = list(leaves(good()))
FIELDS = [place for place in PLACES if isinstance(place[-1], str) and place[:-1] != ("source", "toolchain")]
TOOLS = ("source", "toolchain")  # its members are whatever tools there are
OBJECTS: list[Place] = [(), *(place for place in PLACES if isinstance(at(good(), place), dict) and place != TOOLS)]


def other_type(value: object) -> object:
    match value:
        case bool():
            return 1
        case int():
            return "1"
        case str():
            return 1
        case list():
            return {}
        case _:
            return []


def test_all_that_is_generated_here_starts_from_a_good_manifest() -> None:
    read(canonical(good()))
    assert len(PLACES) == 45
    assert len(OBJECTS) == 6


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_value_of_another_type(folder: Path, place: Place) -> None:
    name = str(place[-1]) if isinstance(place[-1], str) else f"[{place[-1]}]"
    refuse(folder, put(good(), place, other_type(at(good(), place))), name)


@pytest.mark.parametrize("place", [place for place in PLACES if type(at(good(), place)) is int], ids=str)
@pytest.mark.parametrize("value", [-1, 1.5, 2**53, True], ids=str)
def test_a_number_that_is_none(folder: Path, place: Place, value: object) -> None:
    refuse(folder, put(good(), place, value), str(place[-1]))


@pytest.mark.parametrize("place", [place for place in PLACES if isinstance(at(good(), place), str)], ids=str)
@pytest.mark.parametrize("value", ["", "a\nb", "\x1b[2J", "x" * 2001, "\u202e"], ids=ascii)
def test_text_that_is_no_line(folder: Path, place: Place, value: str) -> None:
    name = "path" if place[-2:-1] == ("parts",) else str(place[-1])
    refuse(folder, put(good(), place, value), name)


@pytest.mark.parametrize("place", OBJECTS, ids=str)
def test_an_unknown_member_at_every_level(folder: Path, place: Place) -> None:
    refuse(folder, put(good(), (*place, "surprise"), 1), "'surprise'", "unknown")


@pytest.mark.parametrize("place", FIELDS, ids=str)
def test_a_missing_member_at_every_level(folder: Path, place: Place) -> None:
    values = good()
    del at(values, place[:-1])[place[-1]]
    refuse(folder, values, repr(place[-1]), "missing")


PATHS = {
    "../outside": "leads out of its folder",
    "a/../../outside": "leads out of its folder",
    "/etc/passwd": "absolute",
    "C:/Windows": "not every system",
    "a\\..\\b": "not every system",
    "a//b": "empty",
    "./a": "leads out of its folder",
    "a\0b": "control characters",
    "a\nb": "control characters",
    "\ud800": "control characters",
    "cafe\u0301": "NFC",
    "licences/CON": "reserved name",
    "lpt1.txt": "reserved name",
    "a. ": "a dot or a space",
    "d" * 241: "longer than 240 bytes",
    "é" * 121: "longer than 240 bytes",
    "manifest.json": "one file where case does not count",
    "MANIFEST.json.minisig": "one file where case does not count",
    "PAYLOAD/new": "one folder where case does not count",
    "keys/RELEASE.pub": "one file where case does not count",
    "keys/release.pub/x": "a file and a folder at once",
}


@pytest.mark.parametrize(("path", "says"), PATHS.items(), ids=[ascii(path)[:30] for path in PATHS])
def test_a_path_that_may_not_be_in_a_bundle(folder: Path, path: str, says: str) -> None:
    values = good()
    values["files"].append({"mode": 420, "path": path, "role": "document", "sha256": HASH, "size": 0})
    values["files"].sort(key=lambda file: file["path"])
    data = json.dumps(values, sort_keys=True, separators=(",", ":")) + "\n"
    refuse_bytes(folder, data.encode(), says)


CHANGES: dict[str, tuple[Place, object, str]] = {
    "next schema": (("schema",), 2, "schema 1 only"),
    "other product": (("product",), "other", "not one of medlora-edge"),
    "version with a slash": (("version",), "0.1/../..", "'version'"),
    "serial 0": (("serial",), 0, "at least 1"),
    "no such day": (("created",), "2026-02-30T00:00:00Z", "source_date_epoch"),
    "other time": (("created",), "2026-11-20T00:00:00Z", "source_date_epoch"),
    "no such year": (("source", "source_date_epoch"), 2**52, "'source_date_epoch'"),
    "upgrade from the future": (("min_upgrade_from",), 6, "'min_upgrade_from'"),
    "mode 4755": (("files", 0, "mode"), 0o4755, "'mode'"),
    "mode 0777": (("files", 0, "mode"), 0o777, "'mode'"),
    "unknown role": (("files", 0, "role"), "kernel-module", "'role'"),
    "two apps": (("files", 0, "role"), "app", "role app, not 2"),
    "hash in capitals": (("files", 0, "sha256"), "A" * 64, "'sha256'"),
    "short hash": (("files", 0, "sha256"), "a" * 63, "'sha256'"),
    "revokes itself": (("revoked_serials",), [5], "'revoked_serials'"),
    "revoked twice": (("revoked_serials",), [3, 3], "'revoked_serials'"),
    "revoked falls": (("revoked_serials",), [4, 3], "'revoked_serials'"),
    "next key is none": (("next_key",), "RWQ", "'next_key'"),
    "part unknown": (("joins", 0, "parts", 0), "models/tiny/part-009", "part-000"),
    "part twice": (("joins", 0, "parts", 1), "models/tiny/part-000", "part-000"),
    "part unused": (("joins", 0, "parts"), ["models/tiny/part-000"], "part-001"),
    "no joins": (("joins",), [], "part-000"),
    "join of no part's size": (("joins", 0, "size"), 3, "sum of its parts"),
    "join with another hash": (("joins", 0, "sha256"), HASH, "'tiny'"),
    "join of no model": (("joins", 0, "model"), "other", "'other'"),
    "join out of its folder": (("joins", 0, "name"), "../x", "cannot be the name"),
    "join into a folder": (("joins", 0, "name"), "a/b", "cannot be the name"),
    "join onto a device": (("joins", 0, "name"), "nul", "cannot be the name"),
    "model id with a slash": (("models", 0, "id"), "../tiny", "'id'"),
    "glibc in words": (("platform", "glibc_min"), "new", "'glibc_min'"),
    "tool name that is none": (("source", "toolchain"), {"a\x1b": "1"}, "'toolchain'"),
    "too many entries": (("revoked_serials",), list(range(10, 10_012)), "at most 10000"),
}


@pytest.mark.parametrize(("place", "value", "says"), CHANGES.values(), ids=CHANGES)
def test_a_value_that_contradicts(folder: Path, place: Place, value: object, says: str) -> None:
    refuse(folder, put(good(), place, value), says)


def test_models_with_one_id(folder: Path) -> None:
    values = good()
    values["models"].append(values["models"][0])
    refuse(folder, values, "same id")


def test_files_out_of_order(folder: Path) -> None:
    values = good()
    values["files"].reverse()
    refuse(folder, values, "not sorted")


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a list": lambda _: b"[]\n",
    "a number": lambda _: b"1\n",
    "null": lambda _: b"null\n",
    "not JSON": lambda data: data[:-2],
    "not a number": lambda data: data.replace(b'"serial":5', b'"serial":NaN'),
    "no end of line": lambda data: data[:-1],
    "two ends of line": lambda data: data + b"\n",
    "a space": lambda data: data.replace(b'"serial":5', b'"serial": 5'),
    "written otherwise": lambda data: data.replace(b'"linux"', b'"\\u006cinux"'),
    "a member twice": lambda data: data.replace(b'"serial":5', b'"serial":4,"serial":5'),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "not UTF-8": lambda data: data.replace(b"linux", b"lin\xffx"),
    "a half surrogate": lambda data: data.replace(b"linux", b"\\ud800"),
    "endless nesting": lambda _: b"[" * 200_000,
    "an endless number": lambda data: data.replace(b'"serial":5', b'"serial":' + b"9" * 5000),
    "an exponent": lambda data: data.replace(b'"serial":5', b'"serial":5e0'),
    "over a mebibyte": lambda data: data + b" " * MAX_BYTES,
}


@pytest.mark.parametrize("change", FORMS.values(), ids=FORMS)
def test_another_form_than_the_canonical_one(folder: Path, change: Callable[[bytes], bytes]) -> None:
    data = change(canonical(good()))
    assert data != canonical(good())
    refuse_bytes(folder, data)
