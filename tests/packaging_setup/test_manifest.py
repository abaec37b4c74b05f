"""A manifest is read back as it was written, and any other bytes are refused in words."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlora_setup.archive import read_contents
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import Manifest, Role, read, trusted_comment, write
from tests.packaging_setup import toy

CONTENTS = dict.fromkeys((*toy.PAYLOAD, "install.sh", "keys/release.pub", "models/tiny/part-000"), b"x")
MANIFEST = toy.manifest_of(toy.Toy(models={"tiny": (b"x",)}), CONTENTS)
DATA = write(MANIFEST)


def test_what_is_written_is_read_back() -> None:
    assert read(DATA) == MANIFEST
    assert write(read(DATA)) == DATA


def test_optional_values_are_read_back() -> None:
    key = toy.secret_key(2).public
    manifest = replace(MANIFEST, next_key=key.line, revoked_serials=(1, 3))
    assert read(write(manifest)) == manifest


def test_it_is_one_line_of_sorted_json() -> None:
    values = json.loads(DATA)
    assert list(values) == sorted(values)
    assert DATA.count(b"\n") == 1
    assert DATA.endswith(b"}\n")


def test_letters_beyond_ascii_stay_themselves() -> None:
    model = replace(MANIFEST.models[0], intended_use="Klinische Fragen, für Übungen")
    manifest = replace(MANIFEST, models=(model,))
    assert read(write(manifest)) == manifest
    assert "Übungen".encode() in write(manifest)


def test_its_comment_names_all_that_it_is() -> None:
    digest = sha256(DATA).hexdigest()
    assert trusted_comment(MANIFEST, DATA) == f"product:medlora-edge serial:5 version:0.1.0 sha256:{digest}"


def test_files_and_folder_are_found_by_name() -> None:
    assert MANIFEST.folder_name == "0.1.0-5"
    assert MANIFEST.the(Role.PYTHON).path == "payload/python.tar.gz"


def require_words(data: bytes) -> None:
    """Whatever `data` is, it is read as what it says or refused with exit 3 and no other exception."""
    for reader in (read, read_contents):
        try:
            found = reader(data)
        except SetupError as error:
            assert error.code == Code.CORRUPT
            assert error.where
        else:
            assert isinstance(found, Manifest)
            assert write(found) == data


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    require_words(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(json.loads(DATA))), value=JSON)
def test_any_value_in_any_place(name: str, value: object) -> None:
    changed = {**json.loads(DATA), name: value}
    require_words((json.dumps(changed, sort_keys=True, separators=(",", ":")) + "\n").encode())


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), byte=st.integers(0, 255), keep=st.booleans())
def test_a_changed_byte_or_an_early_end(at: int, byte: int, keep: bool) -> None:
    require_words(DATA[:at] + bytes([byte]) + DATA[at + 1 :] if keep else DATA[:at])


def test_a_list_without_end_is_refused_before_it_is_looked_into() -> None:
    values = {**json.loads(DATA), "files": [{}] * 10_001}
    with pytest.raises(SetupError, match="at most 10000"):
        read((json.dumps(values, sort_keys=True, separators=(",", ":")) + "\n").encode())
