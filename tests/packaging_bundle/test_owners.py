"""Every file of a bundle has one owner, and is the one that its owner's wheel recorded."""

import json
from pathlib import Path

import llama_cpp
import pytest

from medlora_bundle import licences, owners
from medlora_bundle.component import Component, Kind, Text
from medlora_edge.errors import GateError
from tests.packaging_bundle.small_tree import HASHES, Content, model, shipped, wheel, whole


def found(folder: Path, content: Content) -> dict[str, Component]:
    return {one.name: one for one in owners.components(shipped(folder, content), HASHES, {})}


def paths(one: Component) -> set[str]:
    return {file.path for file in one.files}


def refusal(folder: Path, content: Content) -> str:
    with pytest.raises(GateError) as caught:
        found(folder, content)
    return str(caught.value)


def test_a_wheel_owns_its_files_and_their_byte_code(tmp_path: Path) -> None:
    plain = found(tmp_path, whole())["plain"]
    assert {"app/plain/__init__.py", "app/plain/__pycache__/__init__.cpython-311.pyc"} < paths(plain)
    assert (plain.version, plain.licence, plain.sha256) == ("1.0", "MIT", "b" * 64)
    assert plain.purl == "pkg:pypi/plain@1.0"


def test_ours_owns_launchers_and_installer_but_not_the_model(tmp_path: Path) -> None:
    components = found(tmp_path, whole())
    ours = components["medlora-edge"]
    assert ours.kind is Kind.APPLICATION
    assert {"bin/medlora-edge", "python/lib/python3.11/site-packages/medlora_setup/__init__.py"} < paths(ours)
    assert not any("shipped" in path for path in paths(ours))


def test_a_model_has_its_hash_licence_and_whose_data_it_is(tmp_path: Path) -> None:
    small = found(tmp_path, whole())["small"]
    assert (small.kind, small.sha256, small.licence) == (Kind.MODEL, "c" * 64, "Apache-2.0")
    assert [one.by for one in small.data] == ["Their Authors"]
    assert {text.name for text in small.texts} == {"card.md", "LICENSE"}


def test_python_is_split_between_cpython_and_the_machines_packages(tmp_path: Path) -> None:
    components = found(tmp_path, whole())
    assert (components["cpython"].version, components["cpython"].kind) == ("3.11.7", Kind.PLATFORM)
    zlib = components["zlib1g"]
    assert paths(zlib) == {"python/lib/libz.so.1", "python/share/licences/zlib1g/copyright"}
    assert (zlib.licence, zlib.purl) == ("Zlib", "pkg:deb/debian/zlib1g@1:1.2%2Bx?arch=amd64")


@pytest.mark.parametrize("path", ["app/stray.py", "app/plain/__pycache__/gone.cpython-311.pyc", "share/x", "stray"])
def test_a_file_without_an_owner_is_refused(tmp_path: Path, path: str) -> None:
    assert f"files without an owner: {path}" in refusal(tmp_path, {**whole(), path: b""})


def test_many_such_files_are_named_briefly(tmp_path: Path) -> None:
    said = refusal(tmp_path, {**whole(), **{f"app/stray{number}": b"" for number in range(9)}})
    assert "app/stray4 and 4 more" in said


def test_a_file_of_two_wheels_is_refused(tmp_path: Path) -> None:
    other = wheel("other", "1.0", {"plain/__init__.py": b"x = 1\n"})
    assert "files with two owners: app/plain/__init__.py" in refusal(tmp_path, {**whole(), **other})


def test_a_file_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, {**whole(), "app/plain/__init__.py": b"x = 2\n"})
    assert "not the one that its wheel's RECORD lists" in said
    assert "app/plain/__init__.py" in said


def test_a_wheel_of_which_nothing_ships_is_refused(tmp_path: Path) -> None:
    content = {path: data for path, data in whole().items() if "plain" not in path}
    assert "nothing of a wheel is in the bundle: plain" in refusal(tmp_path, content)


def test_a_wheel_that_states_no_licence_is_refused(tmp_path: Path) -> None:
    silent = wheel("plain", "1.0", {"plain/__init__.py": b"x = 1\n"}, "")
    assert "plain does not say under which licence" in refusal(tmp_path, {**whole(), **silent})


def test_a_library_that_nobody_names_is_refused(tmp_path: Path) -> None:
    library = next(Path(llama_cpp.__file__).parent.glob("lib/libggml.so")).read_bytes()
    plain = wheel("plain", "1.0", {"plain/__init__.py": b"x = 1\n", "plain/libunknown.so": library})
    said = refusal(tmp_path, {**whole(), **plain})
    assert "a library without a name: libggml.so" in said
    assert "app/plain/libunknown.so" in said


def test_a_python_that_hides_its_version_is_refused(tmp_path: Path) -> None:
    assert "does not say which version" in refusal(tmp_path, {**whole(), "python/bin/python3.11": b"3.11"})


def test_a_stand_in_claims_no_package_of_the_index(tmp_path: Path) -> None:
    inert = wheel("inert", "9999+inert", {"inert.py": b""})
    assert found(tmp_path, {**whole(), **inert})["inert"].purl is None


def test_parts_that_a_wheel_lists_itself_are_named_without_texts(tmp_path: Path) -> None:
    crates = [
        {"name": "ahash", "version": "0.8", "purl": "pkg:cargo/ahash@0.8", "licenses": [{"expression": "MIT OR Zlib"}]},
        {"name": "memchr", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Unlicense"}}]},
        {"name": "silent"},
    ]
    files = {
        "plain/__init__.py": b"x = 1\n",
        "plain/_native.so": b"library",
        "plain-1.0.dist-info/sboms/plain.cyclonedx.json": json.dumps({"components": crates}).encode(),
    }
    parts = found(tmp_path, {**whole(), **wheel("plain", "1.0", files)})["plain"].parts
    assert [(part.label, part.licence) for part in parts] == [
        ("ahash 0.8", "MIT OR Zlib"),
        ("memchr", "MIT AND Unlicense"),
        ("silent", "not stated"),
    ]
    assert all(part.inside == ("app/plain/_native.so",) and part.maker_says for part in parts)


def extra(licence: str, **beside: bytes) -> Content:
    """A bundle with an extra model: only its description and what lay beside it are inside the app."""
    content = {path: data for path, data in whole().items() if "/shipped/" not in path}
    described = model().model_copy(update={"name": "extra", "licence": licence})
    beside["manifest.json"] = described.model_dump_json().encode()
    return content | {f"app/medlora_edge/shipped/extra/{name}": data for name, data in beside.items()}


def rows_left_out(content: Content) -> Content:
    """`content` without our wheel's own list, which names the model that is not there."""
    wheel_files = {path.removeprefix("app/"): data for path, data in content.items() if path.startswith("app/medlora")}
    code = {path: data for path, data in wheel_files.items() if "dist-info" not in path and "shipped" not in path}
    return content | wheel("medlora-edge", "0.1.0", code, "License: Apache-2.0\n")


@pytest.mark.parametrize("name", ["LICENSE", "LICENCE.txt", "LICENSE-llama"])
def test_an_extra_model_has_the_licence_that_lay_beside_it(tmp_path: Path, name: str) -> None:
    content = rows_left_out(extra("Llama 9 licence", **{name: b"all of it"}))
    assert found(tmp_path, content)["extra"].texts == (Text(name, b"all of it"),)


@pytest.mark.parametrize("licence", ["Apache-2.0", "apache-2.0"])
def test_a_model_under_our_licence_has_our_text(tmp_path: Path, licence: str) -> None:
    (text,) = found(tmp_path, rows_left_out(extra(licence)))["extra"].texts
    assert text.content == b"the licence of medlora-edge\n"


def test_a_model_whose_licence_text_did_not_come_is_refused(tmp_path: Path) -> None:
    content = rows_left_out(extra("MIT", **{"card.md": b"of no help"}))
    components = owners.components(shipped(tmp_path / "tree", content), HASHES, {})
    with pytest.raises(GateError, match="no licence text of: extra cccc"):
        licences.collect(components, tmp_path)
