"""An extra model is cut into parts that give the file again, and ships only under a licence that is known."""

from hashlib import sha256
from pathlib import Path

import pytest

from medlora_bundle import extra_model, inputs
from medlora_bundle.lock import Lock, Locked, Purpose, Source
from medlora_bundle.requirements import ENGINE
from medlora_edge.errors import CorruptError, DataRuleError, GateError, UsageError
from medlora_edge.models import describe, inspect, read_manifest, source_of, write_manifest
from medlora_setup.minisign import UNTRUSTED
from tests.models.corpus import valid_gguf
from tests.packaging_setup import toy

EPOCH = 1_790_000_000


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    """A model whose licence is known from the manifest beside it."""
    (tmp_path / "from").mkdir()
    path = valid_gguf(tmp_path / "from" / "My Model.gguf")
    digest = sha256(path.read_bytes()).hexdigest()
    known = describe(inspect(path), name="my-model", sha256=digest, source=source_of(path), licence="MIT")
    write_manifest(path.parent, known)
    return path


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / extra_model.SHIPPED).mkdir(parents=True)
    return folder


@pytest.mark.parametrize("part_bytes", [1000, 4096, 10**9])
def test_the_parts_give_the_file_again(gguf: Path, app: Path, tmp_path: Path, part_bytes: int) -> None:
    bundle = tmp_path / "bundle"
    model, join = extra_model.add(gguf, bundle, app, part_bytes=part_bytes, epoch=EPOCH)
    parts = [(bundle / part).read_bytes() for part in join.parts]
    assert b"".join(parts) == gguf.read_bytes()
    assert all(len(part) == part_bytes for part in parts[:-1])
    assert 0 < len(parts[-1]) <= part_bytes
    assert (join.model, join.size, join.sha256) == (model.id, gguf.stat().st_size, model.sha256)
    assert sha256(b"".join(parts)).hexdigest() == join.sha256


def test_the_app_knows_it_as_a_shipped_model(gguf: Path, app: Path, tmp_path: Path) -> None:
    model, join = extra_model.add(gguf, tmp_path / "bundle", app, part_bytes=10**6, epoch=EPOCH)
    manifest = read_manifest(app / extra_model.SHIPPED / model.id)
    assert (manifest.name, manifest.file, manifest.licence) == (model.id, join.name, "MIT")
    assert manifest.added.timestamp() == EPOCH


def test_the_licence_text_beside_it_comes_along(gguf: Path, app: Path, tmp_path: Path) -> None:
    for name in ("LICENSE", "LICENCE.txt", "README.md"):
        (gguf.parent / name).write_text(name)
    (gguf.parent / "LICENSES").mkdir()
    model, _ = extra_model.add(gguf, tmp_path / "bundle", app, part_bytes=10**6, epoch=EPOCH)
    taken = {path.name for path in (app / extra_model.SHIPPED / model.id).iterdir()}
    assert taken == {"manifest.json", "LICENSE", "LICENCE.txt"}


def require_usable(gguf: Path) -> None:
    """Look at what a bundle with this model is made from, with a lock that names the engine's source alone."""
    key = gguf.parent / "release.pub"
    key.write_text(f"{UNTRUSTED}a key\n{toy.KEY.public.line}\n")
    sdist = Locked(name=ENGINE, version="1", file="llama_cpp_python-1.tar.gz", sha256="0" * 64, purpose=Purpose.BUILD)
    lock = Lock(version="1", source=Source(commit="0" * 40, dirty=False, epoch=EPOCH), files=(sdist,))
    inputs.require_usable(inputs.Inputs(gguf.parent, 1, key, models=(gguf,)), lock)


def test_a_missing_licence_text_is_found_before_the_build(gguf: Path) -> None:
    with pytest.raises(GateError, match="the text of its licence, MIT, is missing") as refused:
        require_usable(gguf)
    assert refused.value.where == str(gguf)
    assert refused.value.fix == "put the text of its licence beside it, as LICENSE"
    (gguf.parent / "LICENCE.txt").write_text("all of it")
    require_usable(gguf)


def test_a_model_that_is_not_there_is_said_to_be_missing(gguf: Path) -> None:
    gguf.unlink()
    with pytest.raises(UsageError):
        require_usable(gguf)


def test_our_own_licence_needs_no_text_beside_it(gguf: Path) -> None:
    (gguf.parent / "manifest.json").unlink()  # what stays is the licence that the file itself states
    require_usable(gguf)


def test_without_a_licence_it_stays_here(gguf: Path) -> None:
    unknown = read_manifest(gguf.parent).model_copy(update={"licence": None})
    with pytest.raises(DataRuleError, match="licence"):
        extra_model.of_manifest(unknown)


def test_a_manifest_for_other_bytes_is_refused(gguf: Path, app: Path, tmp_path: Path) -> None:
    manifest = read_manifest(gguf.parent)
    write_manifest(gguf.parent, manifest.model_copy(update={"sha256": "0" * 64, "file": "My-Model.gguf"}))
    gguf = gguf.rename(gguf.with_name("My-Model.gguf"))
    with pytest.raises(CorruptError, match="as its manifest says"):
        extra_model.add(gguf, tmp_path / "bundle", app, part_bytes=10**6, epoch=EPOCH)


def test_what_is_no_model_is_refused(app: Path, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not a model")
    with pytest.raises((CorruptError, UsageError)):
        extra_model.add(tmp_path / "x.gguf", tmp_path / "bundle", app, part_bytes=10**6, epoch=EPOCH)
