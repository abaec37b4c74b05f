"""No library is passed on without the licence of its package."""

import json
import sys
from pathlib import Path

import pytest

from medlora_bundle.native_files import system_library
from medlora_bundle.system_licences import copy_licences
from medlora_edge.errors import GateError


def test_the_package_of_a_library_is_found(tmp_path: Path) -> None:
    copy_licences([system_library("libstdc++.so.6")], tmp_path)
    (entry,) = json.loads((tmp_path / "packages.json").read_text())
    assert entry["library"] == "libstdc++.so.6"
    assert entry["version"]
    assert "GNU" in (tmp_path / entry["package"] / "copyright").read_text()


def test_a_library_of_no_package_is_refused(tmp_path: Path) -> None:
    library = tmp_path / "libmine.so.1"
    library.write_bytes(b"mine")
    with pytest.raises(GateError, match="no package") as refused:
        copy_licences([library], tmp_path / "out")
    assert str(library) in str(refused.value)


def test_pythons_own_library_is_covered_by_pythons_licence(tmp_path: Path) -> None:
    copy_licences([Path(sys.base_prefix) / "lib" / "libpython3.so"], tmp_path)
    assert json.loads((tmp_path / "packages.json").read_text()) == []
