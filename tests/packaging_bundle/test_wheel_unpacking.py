"""Wheels are read, never run, and nothing in one reaches outside the folder it is meant for."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from medlora_bundle.app_tree import unpack_wheels
from medlora_bundle.wheel_unpacking import unpack
from medlora_edge.errors import CorruptError

NAME = "some-1.0-py3-none-any.whl"


def everything(_path: PurePosixPath) -> bool:
    return True


def wheel(folder: Path, files: dict[str, bytes], mode: int = 0, name: str = NAME) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return folder / name


def found(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_library_files_arrive_and_others_do_not(tmp_path: Path) -> None:
    files = {
        "some/a.py": b"a",
        "some-1.0.data/purelib/b.py": b"b",
        "some-1.0.data/platlib/c.py": b"c",
        "some-1.0.data/scripts/run": b"#!",
        "some-1.0.data/data/etc/d": b"d",
        "some/": b"",
    }
    unpack(wheel(tmp_path / "w", files), tmp_path / "app", everything)
    assert found(tmp_path / "app") == {"some/a.py", "b.py", "c.py"}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "a\\..\\x", "some-1.0.data/purelib/../../x"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(CorruptError, match="leads out"):
        unpack(wheel(tmp_path / "w", {path: b"x"}), tmp_path / "app", everything)
    assert found(tmp_path) == {f"w/{NAME}"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(CorruptError, match="link"):
        unpack(wheel(tmp_path / "w", {"some/a": b"/etc/passwd"}, kind | 0o777), tmp_path / "app", everything)


def test_two_wheels_may_not_write_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        wheel(tmp_path / name, {"same.py": name.encode()})
    unpack(tmp_path / "one" / NAME, tmp_path / "app", everything)
    with pytest.raises(CorruptError, match="two wheels"):
        unpack(tmp_path / "two" / NAME, tmp_path / "app", everything)


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_a_damaged_wheel_is_refused(tmp_path: Path, cut: int) -> None:
    path = wheel(tmp_path / "w", {"some/a.py": b"a" * 100})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CorruptError, match="damaged"):
        unpack(path, tmp_path / "app", everything)


def test_a_flipped_byte_inside_is_noticed(tmp_path: Path) -> None:
    path = wheel(tmp_path / "w", {"some/a.py": b"a" * 100})
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match="damaged"):
        unpack(path, tmp_path / "app", everything)


def test_the_app_takes_what_it_imports(tmp_path: Path) -> None:
    files = dict.fromkeys(
        ("medlora_edge/a.py", "build_tools/a.py", "medlora_bundle/a.py", "medlora_setup/a.py", "numpy/f2py/a.py"), b""
    )
    files |= dict.fromkeys(("x/tests/test_a.py", "x/a.pyi", "lib/a.so", "x/lib/a.so", "x/testing/a.py"), b"")
    app = unpack_wheels(tmp_path / "tree", [wheel(tmp_path / "w", files)])
    shipped = {path for path in found(app) if "diskcache" not in path}
    assert shipped == {"medlora_edge/a.py", "x/lib/a.so", "x/testing/a.py"}
    assert found(tmp_path / "tree" / "bin") == {"medlora-edge", "medlora-setup"}
