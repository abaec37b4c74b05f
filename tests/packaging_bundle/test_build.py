"""A bundle is made from the locked files alone, fits the stick, and is the same bytes each time."""

import json
import os
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_bundle.archive_writing import contents_of
from medlora_bundle.build import Inputs, build
from medlora_bundle.payload import make_tree
from medlora_edge.errors import CorruptError, UsageError
from medlora_setup import manifest
from medlora_setup.archive_contents import read_contents
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import Role
from medlora_setup.verify import verify
from tests.packaging_bundle.test_engine_wheel import toy_sdist
from tests.packaging_setup import toy

LIMIT = 90_000_000


def test_the_tree_is_the_same_each_time(bundle: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    """Archives depend on nothing else: see `test_archive_writing`."""
    assert bundle_inputs.engine
    make_tree(tmp_path / "tree", [*sorted(bundle_inputs.fetched.glob("app/*.whl")), bundle_inputs.engine])
    listed = read_contents((bundle / "payload" / "contents.json").read_bytes())
    assert contents_of(tmp_path / "tree", ["python"]) == listed["python"]
    assert contents_of(tmp_path / "tree", ["app", "bin"]) == listed["app"]


@pytest.mark.skipif("MEDLORA_NIGHTLY" not in os.environ, reason="a second bundle: MEDLORA_NIGHTLY=1")
def test_two_builds_of_one_lock_are_the_same_bytes(bundle: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    again = build(bundle_inputs, tmp_path / "another place")
    assert (again / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def test_it_verifies_as_the_laptop_does(bundle: Path) -> None:
    verified = verify(bundle, toy.KEY.public)
    assert verified.manifest.serial == 1


def test_it_is_small_without_extra_models(bundle: Path) -> None:
    assert sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) <= LIMIT


def test_the_manifest_says_what_was_built_from_what(bundle: Path, fetched: Path) -> None:
    made = manifest.read((bundle / "manifest.json").read_bytes())
    lock = json.loads((fetched / "lock.json").read_text())
    assert (made.version, made.source.commit) == (lock["version"], lock["source"]["commit"])
    assert made.source.toolchain["llama-cpp-python"] == "0.3.36"
    assert made.state_schema == len(list(Path("medlora_edge/history/migrations").glob("*.sql")))
    assert [model.id for model in made.models] == ["starter"]
    assert [file.path for file in made.files if file.mode == 0o755] == [made.the(Role.INSTALLER).path]


def test_what_the_laptop_needs_is_measured(bundle: Path) -> None:
    needs = manifest.read((bundle / "manifest.json").read_bytes()).platform
    contents = json.loads((bundle / "payload" / "contents.json").read_text())
    unpacked = sum(file["size"] for listed in contents.values() for file in listed)
    assert needs.disk_min_mb << 20 > unpacked
    assert (2, 28) <= tuple(map(int, needs.glibc_min.split("."))) <= (2, 99)


@pytest.fixture
def damaged(fetched: Path, tmp_path: Path) -> Path:
    """A copy of the fetched folder, for harm."""
    return Path(shutil.copytree(fetched, tmp_path / "damaged", copy_function=_link))


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_a_file_with_another_hash_is_refused(damaged: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    (wheel,) = damaged.glob("app/rich-*.whl")
    content = bytearray(wheel.read_bytes())
    content[1000] ^= 1
    _replace(wheel, bytes(content))
    with pytest.raises(CorruptError, match="not the locked") as refused:
        build(replace(bundle_inputs, fetched=damaged), tmp_path / "out")
    assert str(wheel) in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_refused(damaged: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    next(damaged.glob("app/jinja2-*.whl")).unlink()
    with pytest.raises(CorruptError, match="missing"):
        build(replace(bundle_inputs, fetched=damaged), tmp_path / "out")


@pytest.mark.parametrize("spoil", ["{", "[]", '{"schema_version": 2}'])
def test_a_malformed_lock_is_refused(damaged: Path, bundle_inputs: Inputs, tmp_path: Path, spoil: str) -> None:
    _replace(damaged / "lock.json", spoil.encode())
    with pytest.raises(CorruptError, match="malformed"):
        build(replace(bundle_inputs, fetched=damaged), tmp_path / "out")


def test_a_file_that_is_not_in_the_lock_is_not_used(damaged: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    lock = json.loads((damaged / "lock.json").read_text())
    lock["files"] = [file for file in lock["files"] if file["name"] != "llama-cpp-python"]
    _replace(damaged / "lock.json", json.dumps(lock).encode())
    with pytest.raises(CorruptError, match="names no llama-cpp-python"):
        build(replace(bundle_inputs, fetched=damaged), tmp_path / "out")


def test_an_engine_that_cannot_be_built_says_why(damaged: Path, bundle_inputs: Inputs, tmp_path: Path) -> None:
    (sdist,) = damaged.glob("build/llama_cpp_python-*.tar.gz")
    sdist.unlink()
    toy_sdist(sdist, backend="raise SystemExit('no compiler here')")
    lock = json.loads((damaged / "lock.json").read_text())
    for file in lock["files"]:
        if file["name"] == "llama-cpp-python":
            file["sha256"] = sha256(sdist.read_bytes()).hexdigest()
    _replace(damaged / "lock.json", json.dumps(lock).encode())
    with pytest.raises(UsageError, match="no compiler here"):
        build(replace(bundle_inputs, fetched=damaged, engine=None), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_bundle_that_is_there_stays(bundle: Path, bundle_inputs: Inputs) -> None:
    with pytest.raises(UsageError, match="there already"):
        build(bundle_inputs, bundle.parent)


def test_without_a_lock_it_says_where_to_get_one(bundle_inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lock"):
        build(replace(bundle_inputs, fetched=tmp_path), tmp_path / "out")


@pytest.mark.parametrize("serials", [{"revoked": (1,)}, {"min_upgrade_from": 2}])
def test_serials_that_contradict_are_refused_first(
    bundle_inputs: Inputs, tmp_path: Path, serials: dict[str, tuple[int, ...] | int]
) -> None:
    with pytest.raises(UsageError, match="bundle 1"):
        build(replace(bundle_inputs, **serials), tmp_path / "out")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["llama_cpp_python-0.1.0-py3-none-any.whl", "numpy-2.0-py3-none-any.whl", "x.whl"])
def test_a_foreign_engine_is_refused_first(bundle_inputs: Inputs, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=r"not a wheel of llama-cpp-python 0\.3\.36"):
        build(replace(bundle_inputs, engine=tmp_path / name), tmp_path / "out")


def test_a_malformed_key_is_refused_first(bundle_inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "release.pub").write_text("untrusted comment: a key\nnone\n")
    key = tmp_path / "release.pub"
    for wrong in (replace(bundle_inputs, key=key), replace(bundle_inputs, next_key=key)):
        with pytest.raises(SetupError) as refused:
            build(wrong, tmp_path / "out")
        assert refused.value.code is Code.SIGNATURE
    with pytest.raises(UsageError, match="no public key"):
        build(replace(bundle_inputs, key=tmp_path / "gone.pub"), tmp_path / "out")
