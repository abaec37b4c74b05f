"""A manifest that lies beside a GGUF comes into the catalogue with it, and only with that very file."""

import json
from pathlib import Path
from typing import Any

import pytest

from medlora_edge import models
from medlora_edge.errors import CorruptError
from medlora_edge.models import Manifest
from medlora_edge.models.hashing import sha256_of
from medlora_edge.models.manifest import FILE_NAME, MAX_BYTES, write_manifest
from tests.models.corpus import valid_gguf

TOLD: dict[str, Any] = {
    "licence": "cc-by-4.0",
    "notes": "Not a medical device.",
    "lineage": {"recipe": "tiny", "steps": {"train/chat": {"output": "ab"}}},
    "bench": {"held_out_loss": {"full": 1.5}},
    "demonstration": True,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return valid_gguf(tmp_path / "result.gguf")


def described(path: Path, **changes: Any) -> Manifest:
    header, source = models.inspect(path), models.source_of(path)
    manifest = models.describe(header, name="result", sha256=sha256_of(path), source=source)
    return manifest.model_copy(update={**TOLD, **changes})


def test_what_the_builder_said_is_taken_over(file: Path) -> None:
    write_manifest(file.parent, described(file))
    added = models.add(file, name="mine").manifest
    assert added.model_dump(include=set(TOLD)) == TOLD
    assert (added.name, added.file) == ("mine", "mine.gguf")
    assert models.find("mine").manifest == added


def test_a_licence_named_by_the_user_stays(file: Path) -> None:
    write_manifest(file.parent, described(file))
    assert models.add(file, licence="mit").manifest.licence == "mit"


def test_a_renamed_file_is_known_by_its_hash(file: Path) -> None:
    write_manifest(file.parent, described(file))
    other = file.rename(file.with_name("other.gguf"))
    assert models.add(other).manifest.lineage == TOLD["lineage"]


def test_another_hash_for_this_file_is_refused_and_nothing_installed(file: Path) -> None:
    write_manifest(file.parent, described(file, sha256="0" * 64))
    with pytest.raises(CorruptError, match=r"not 000000000000\.\.\. as its manifest says"):
        models.add(file)
    assert models.installed() == ()


def test_a_damaged_manifest_is_refused_by_name(file: Path) -> None:
    write_manifest(file.parent, described(file))
    place = file.parent / FILE_NAME
    sound = place.read_bytes()
    for damaged in (sound[:-30], sound.replace(b'"size_bytes"', b'"size_bytez"'), b"\xff" + sound):
        place.write_bytes(damaged)
        with pytest.raises(CorruptError, match="manifest") as refused:
            models.add(file)
        assert "move the file" in str(refused.value)
    assert models.installed() == ()


@pytest.mark.parametrize("foreign", ['{"name": "a web app", "icons": []}', "[1]", " " * (MAX_BYTES + 1)])
def test_another_programs_manifest_is_left_alone(file: Path, foreign: str) -> None:
    (file.parent / FILE_NAME).write_text(foreign)
    assert models.add(file).manifest.lineage == {}


def test_the_manifest_of_another_model_in_the_folder_is_left_alone(file: Path) -> None:
    write_manifest(file.parent, described(file, sha256="0" * 64, file="another.gguf"))
    added = models.add(file)
    assert added.manifest.lineage == {}
    assert json.loads((file.parent / FILE_NAME).read_bytes())["file"] == "another.gguf"
