"""Installed models survive damage around them, and a model is there whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import gguf
import pytest

from medlora_edge import models, paths
from medlora_edge.errors import CorruptError, InUseError, ResourceError, UsageError
from medlora_edge.files import exclusive
from medlora_edge.models.manifest import read_manifest
from tests.models.corpus import valid_gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return valid_gguf(tmp_path / "My model (v2).Q3_K_L.gguf")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return valid_gguf(tmp_path / "other.gguf", lambda writer: writer.add_description("another"))


@pytest.fixture
def no_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system than the home, so that a model must be copied."""
    place = Path("/dev/shm") / f"medlora-test-{os.getpid()}"
    if not place.parent.is_dir():
        pytest.skip("there is no second file system here")
    place.mkdir()
    yield place
    for leftover in place.iterdir():
        leftover.unlink()
    place.rmdir()


def left_behind() -> list[str]:
    folder = paths.models_dir()
    return sorted(place.name for place in folder.iterdir() if place.name != ".lock") if folder.is_dir() else []


def test_add_describes_and_keeps_the_file(file: Path) -> None:
    seen: list[tuple[int, int]] = []
    model = models.add(file, on_progress=lambda done, total: seen.append((done, total)))
    assert model.name == "My-model-v2-.Q3_K_L"
    assert model.path == paths.models_dir() / model.name / f"{model.name}.gguf"
    assert model.path.read_bytes() == file.read_bytes()
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
    assert model.untrained
    manifest = read_manifest(model.path.parent)
    assert manifest == model.manifest
    assert manifest.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (manifest.size_bytes, manifest.architecture) == (file.stat().st_size, "llama")
    assert (manifest.licence, manifest.context_length) == ("apache-2.0", 512)
    assert manifest.source.file == file.name
    assert model.path.parent.stat().st_mode & 0o777 == 0o700
    assert models.find(model.name) == model
    models.verify(model, fresh=True)


def test_on_the_same_file_system_nothing_is_copied(file: Path) -> None:
    assert models.add(file).path.stat().st_ino == file.stat().st_ino


def test_from_another_file_system_it_is_copied(file: Path, elsewhere: Path) -> None:
    source = Path(elsewhere / "model.gguf")
    source.write_bytes(file.read_bytes())
    model = models.add(source)
    assert model.path.stat().st_ino != source.stat().st_ino
    assert model.path.stat().st_mode & 0o777 == 0o600
    models.verify(model, fresh=True)


def test_a_link_to_a_file_adds_the_file(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(file)
    model = models.add(link, name="linked")
    assert not model.path.is_symlink()


def test_the_same_name_or_content_is_refused(file: Path, other: Path) -> None:
    models.add(file, name="one")
    before = left_behind()
    with pytest.raises(UsageError, match="already a model named 'ONE'"):
        models.add(other, name="ONE")
    with pytest.raises(UsageError, match="already installed as 'one'"):
        models.add(file, name="two")
    assert left_behind() == before


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "x" * 81, "a b", "dot.", "nul\0"])
def test_unsafe_names_are_refused(name: str, file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a model's name"):
        models.add(file, name=name)
    assert left_behind() == []


def test_damaged_files_are_not_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "page.gguf"
    path.write_bytes(b"<!doctype html>")
    with pytest.raises(CorruptError, match="web page"):
        models.add(path)
    assert left_behind() == []


def test_a_promised_hash_is_held_against_the_file(file: Path) -> None:
    with pytest.raises(CorruptError, match="not the promised"):
        models.add(file, sha256="0" * 64)
    assert left_behind() == []


def test_a_disk_that_is_too_small_is_said_before_copying(file: Path, elsewhere: Path) -> None:
    source = elsewhere / "large.gguf"
    source.write_bytes(file.read_bytes())
    os.truncate(source, 1 << 42)
    with pytest.raises(ResourceError, match=r"the model needs 4096\.1 GiB") as caught:
        models.add(source)
    assert caught.value.code == 4
    assert left_behind() == []


def test_a_disk_that_fills_up_leaves_nothing(file: Path, elsewhere: Path) -> None:
    source = elsewhere / "model.gguf"
    source.write_bytes(file.read_bytes())
    program = (
        "import resource, sys; from pathlib import Path; from medlora_edge import models, errors\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: models.add(Path(sys.argv[1]))\n"
        "except errors.ResourceError as error: print(error); sys.exit(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, source], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "File too large" in done.stdout
    assert left_behind() == []


def test_a_place_that_cannot_be_written(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flat").write_text("")
    monkeypatch.setenv("MEDLORA_HOME", str(tmp_path / "flat"))
    with pytest.raises(ResourceError):
        models.add(file)


def test_what_a_killed_process_left_is_swept_away(file: Path) -> None:
    leftover = paths.models_dir() / ".work-killed"
    leftover.mkdir(parents=True)
    (leftover / "half.gguf").write_bytes(b"GGUF")
    assert models.installed() == ()
    models.add(file, name="new")
    assert left_behind() == ["new"]


def test_only_one_process_changes_the_catalogue(file: Path) -> None:
    model = models.add(file, name="one")
    with exclusive(paths.models_dir() / ".lock", what="the test"):
        for change in (lambda: models.add(file, name="two"), lambda: models.remove("one")):
            with pytest.raises(InUseError):
                change()
    assert models.find("one") == model


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "cannot be read"),
        (b"{", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "malformed"),
        (b" " * (2 << 20), "larger than any"),
    ],
)
def test_a_broken_manifest_does_not_hide_the_others(content: bytes | None, word: str, file: Path) -> None:
    good = models.add(file, name="good")
    broken = paths.models_dir() / "broken"
    broken.mkdir()
    if content is not None:
        (broken / "manifest.json").write_bytes(content)
    first, second = models.installed()
    assert (first.name, first.model) == ("broken", None)
    assert word in str(first.problem)
    assert second.model == good
    with pytest.raises(CorruptError, match=word):
        models.find("broken")
    models.remove("broken")
    assert [entry.name for entry in models.installed()] == ["good"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("surprise", 1), ("sha256", "xyz"), ("file", "../../etc/passwd"), ("size_bytes", -1), ("schema_version", 2)],
)
def test_a_manifest_with_a_wrong_field_names_it(field: str, value: object, file: Path) -> None:
    place = models.add(file, name="m").path.parent / "manifest.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {field: value}))
    with pytest.raises(CorruptError, match="malformed") as caught:
        models.find("m")
    assert field in str(caught.value)


def test_a_changed_file_is_noticed(file: Path) -> None:
    model = models.add(file, name="m")
    model.path.chmod(0o600)
    with model.path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    with pytest.raises(CorruptError, match="no longer the file") as caught:
        models.verify(model)
    assert caught.value.code == 3
    os.truncate(model.path, 1000)
    with pytest.raises(CorruptError, match="1000 bytes"):
        models.verify(model)
    model.path.unlink()
    with pytest.raises(UsageError, match="is gone"):
        models.verify(model)


def test_an_unchanged_file_is_hashed_once(file: Path) -> None:
    model = models.add(file)
    seen: list[int] = []
    models.verify(model, on_progress=lambda done, total: seen.append(done))
    assert not seen
    models.verify(model, on_progress=lambda done, total: seen.append(done), fresh=True)
    assert seen


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff", b"[" * 100_000])
def test_a_broken_memory_of_hashes_only_costs_hashing(content: bytes, file: Path) -> None:
    model = models.add(file)
    (paths.state_dir() / "model-hashes.json").write_bytes(content)
    models.verify(model)


def test_default_model(file: Path, other: Path, no_shipped: None) -> None:
    with pytest.raises(UsageError, match="no model is installed"):
        models.find(None)
    one = models.add(file, name="one")
    assert models.find(None) == one
    models.add(other, name="two")
    with pytest.raises(UsageError, match="none is the default: one, two"):
        models.find(None)
    assert models.set_default("ONE") == one
    assert models.find(None) == one
    with pytest.raises(UsageError, match="no installed model 'three'"):
        models.set_default("three")
    models.remove("one")
    assert models.default_name() is None
    models.set_default("two")
    (paths.models_dir() / "two").rename(paths.models_dir() / "elsewhere")
    with pytest.raises(UsageError, match="'two' is no longer installed"):
        models.find(None)


def ship(file: Path, folder: Path) -> None:
    """Let the model in `file` be one that came with the program, in `folder`."""
    folder.mkdir(parents=True)
    (folder / "model.gguf").write_bytes(file.read_bytes())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    header = models.inspect(folder / "model.gguf")
    manifest = models.describe(
        header, name=folder.name, sha256=digest, source=models.source_of(file), file="model.gguf"
    )
    models.write_manifest(folder, manifest)


def test_a_model_that_a_bundle_brought_comes_before_the_starter(
    file: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: tmp_path / "shipped")
    ship(file, tmp_path / "shipped" / "starter")
    ship(other, tmp_path / "shipped" / "clinic")
    assert [entry.name for entry in models.shipped()] == ["clinic", "starter"]
    assert models.find(None).name == "clinic"
    assert models.find("starter").shipped
    ship(other, tmp_path / "shipped" / "ward")
    with pytest.raises(UsageError, match="none is the default: clinic, ward"):
        models.find(None)
    models.set_default("ward")
    assert models.find(None).name == "ward"
    (tmp_path / "shipped" / "clinic" / "model.gguf").unlink()
    (paths.models_dir() / ".default").unlink()
    assert models.find(None).name == "ward"  # a model whose file is not there yet is not offered


def test_the_default_that_a_bundle_names(
    file: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: shipped)
    for name in ("starter", "clinic", "ward"):
        ship(file, shipped / name)
    (shipped / ".default").write_text("ward\n")
    assert models.find(None).name == "ward"
    assert models.default_name() is None  # nobody's choice: one's own model goes before it
    models.set_default("clinic")
    assert models.find(None).name == "clinic"
    (paths.models_dir() / ".default").unlink()
    models.add(other, name="mine")
    (shipped / ".default").write_bytes(b"\xff")
    assert models.find(None).name == "mine"
    models.remove("mine")
    with pytest.raises(CorruptError, match="cannot be read"):
        models.find(None)


def test_the_shipped_model_comes_last(file: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(file, tmp_path / "shipped" / "starter")
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: tmp_path / "shipped")
    found = models.find(None)
    assert (found.name, found.shipped) == ("starter", True)
    models.verify(found)
    with pytest.raises(UsageError, match="came with the program"):
        models.remove("starter")
    with pytest.raises(UsageError, match="already a model named"):
        models.add(file, name="starter")
    models.add(other, name="mine")
    assert models.find(None).name == "mine"
    models.remove("mine")
    (tmp_path / "shipped" / "starter" / "model.gguf").unlink()
    with pytest.raises(UsageError, match="no model is installed"):
        models.find(None)


def test_a_bare_file_is_checked_hashed_and_remembered(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    model = models.find(str(file), on_progress=lambda done, total: seen.append(done))
    assert model.path == file
    assert model.manifest.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert seen
    seen.clear()
    monkeypatch.chdir(file.parent)
    again = models.find(f"./{file.name}", on_progress=lambda done, total: seen.append(done))
    assert (again.path, seen) == (file, [])
    models.verify(again)


@pytest.mark.parametrize("name", ["nothing", "nothing.gguf", "./nothing", "", "x" * 5000, "a\0b", "a\x1b[31m"])
def test_an_unknown_name_or_file_is_wrong_use(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        models.find(name)
    assert "\x1b" not in str(caught.value)


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.gguf"))
    valid_gguf(tmp_path / "plain.gguf").rename(path)
    model = models.add(path)
    assert model.name == "caf"
    assert read_manifest(model.path.parent).source.file == "caf?.gguf"


def test_licence_of_the_source_goes_before_the_files_own(file: Path) -> None:
    assert models.add(file, licence="llama3").manifest.licence == "llama3"


def test_a_trained_file_is_not_marked_untrained(tmp_path: Path) -> None:
    def change(writer: gguf.GGUFWriter) -> None:
        writer.kv_data[0].pop("medlora.untrained")

    assert not models.add(valid_gguf(tmp_path / "m.gguf", change)).untrained


def test_an_installed_package_has_its_model_inside_and_a_checkout_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "medlora_edge" / "paths.py"))
    (tmp_path / "medlora_edge" / "shipped").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    assert paths.shipped_models_dir() == tmp_path / "medlora_edge" / "shipped"
    (tmp_path / "pyproject.toml").touch()
    assert paths.shipped_models_dir() == tmp_path / "models"


def test_the_wheel_takes_the_starter_where_an_installed_package_looks() -> None:
    project = tomllib.loads((Path(paths.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "models/starter" in wheel["only-include"]
    assert wheel["sources"]["models"] == "medlora_edge/shipped"
