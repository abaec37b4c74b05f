"""Libraries inside wheels: named, with versions from the bytes, and never forgotten when a wheel changes."""

import io
import tarfile
from pathlib import Path

import pytest

from medlora_bundle import native_parts
from medlora_bundle.component import Component, Kind
from medlora_bundle.native_parts import Places
from medlora_edge.errors import GateError
from tests.packaging_bundle.small_tree import Content, shipped

SQLITE = b"..community\x004.19.0\x00..OpenSSL 3.6.0 1 Oct 2025\x00..\x013.53.4\x00.."
MODULE = "app/sqlcipher3/_sqlite3.cpython-311-x86_64-linux-gnu.so"


def parts_of(name: str, content: Content, folder: Path) -> dict[str, Component]:
    files = tuple(shipped(folder, content).values())
    wheel = Component(name=name, version="1", kind=Kind.LIBRARY, licence="MIT", files=files)
    return {part.name: part for part in native_parts.parts(wheel, Places(folder, {}))}


def test_versions_come_from_the_bytes(tmp_path: Path) -> None:
    parts = parts_of("sqlcipher3", {MODULE: SQLITE}, tmp_path)
    assert {name: part.version for name, part in parts.items()} == {
        "sqlcipher": "4.19.0",
        "sqlite": "3.53.4",
        "openssl": "3.6.0",
    }
    assert all(part.inside == (MODULE,) and part.texts and not part.files for part in parts.values())


def test_a_version_that_is_not_found_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="no version of sqlcipher is found"):
        parts_of("sqlcipher3", {MODULE: b"nothing"}, tmp_path)


def test_a_part_whose_file_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="sqlcipher3 holds no sqlcipher any more"):
        parts_of("sqlcipher3", {"app/sqlcipher3/__init__.py": b""}, tmp_path)


def test_a_text_that_is_gone_is_refused(tmp_path: Path) -> None:
    files = {f"app/numpy.libs/{name}": b"OpenBLAS 0.3.31 " for name in ("libscipy_openblas64_.so", "libgfortran.so")}
    with pytest.raises(GateError, match=r"not there: wheel:licenses/LICENSE\.txt"):
        parts_of("numpy", files, tmp_path)


def test_a_wheel_without_parts_has_none(tmp_path: Path) -> None:
    assert parts_of("plain", {"app/plain.py": b""}, tmp_path) == {}


def test_a_comment_at_the_head_of_a_source_file_is_a_text(tmp_path: Path) -> None:
    places = Places(tmp_path, {"sgemm.cpp": b"// Copyright 2024 Someone\n//\n// Permission\n\n//  not this\nint x;\n"})
    assert places.read("sdist-head:sgemm.cpp") == b"Copyright 2024 Someone\n\nPermission\n"


def test_only_what_the_table_names_is_read_from_the_source(tmp_path: Path) -> None:
    archive = tmp_path / "llama_cpp_python-0.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for path in ("vendor/llama.cpp/LICENSE", "vendor/llama.cpp/README.md", native_parts.LLAMA_CPP_COMMIT):
            entry = tarfile.TarInfo(f"llama_cpp_python-0.0/{path}")
            entry.size = len(path)
            tar.addfile(entry, io.BytesIO(path.encode()))
    assert set(native_parts.read_sdist(archive)) == {"vendor/llama.cpp/LICENSE", native_parts.LLAMA_CPP_COMMIT}


def test_every_text_of_ours_that_the_table_names_is_there(tmp_path: Path) -> None:
    named = {text for part in native_parts.table() for text in part.texts if text.startswith("here:")}
    assert all(len(Places(tmp_path, {}).read(text)) > 100 for text in named)
    folder = native_parts.TABLE.parent / "licence_texts"
    assert {f"here:{file.name}" for file in folder.iterdir()} == named
