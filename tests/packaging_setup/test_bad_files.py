"""Bundles whose files are not as signed: changed, cut, swapped, missing, added, or of another kind."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from medlora_setup.cli import run
from medlora_setup.errors import Code
from medlora_setup.install import install
from medlora_setup.layout import Layout
from medlora_setup.manifest import read
from medlora_setup.progress import silent
from medlora_setup.verify import MANIFEST, SIGNATURE
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import TRUST, require_refusal

FILES = sorted(
    [
        "INSTALL.txt",
        "install.sh",
        "keys/release.pub",
        "licences/zlib.txt",
        "models/tiny/part-000",
        "models/tiny/part-001",
        "payload/app.tar.xz",
        "payload/contents.json",
        "payload/expected_tokens.json",
        "payload/python.tar.gz",
        "sbom/bundle.cdx.json",
    ]
)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"\n")


def link(path: Path) -> None:
    path.rename(path.parent.parent / "kept")
    path.symlink_to(path.parent.parent / "kept")


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[Callable[[Path], None], str] = {
    flip: "not those that were signed",
    cut: "bytes, not",
    empty: "it has 0 bytes",
    grow: "bytes, not",
    Path.unlink: "it is missing",
    fifo: "it is a FIFO",
    to_folder: "it is a folder",
}


def test_the_list_of_kinds_is_the_whole_bundle(toy_bundle: Path) -> None:
    assert [file.path for file in read((toy_bundle / MANIFEST).read_bytes()).files] == FILES


def test_the_same_bundle_unharmed_is_installed(toy_bundle: Path) -> None:
    assert install(Layout(toy_bundle.parent / "opt" / "prefix"), toy_bundle, TRUST, silent).version == "0.1.0-5"


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(("change", "says"), CHANGES.items(), ids=[change.__name__ for change in CHANGES])
def test_a_changed_file(toy_bundle: Path, change: Callable[[Path], None], says: str, path: str) -> None:
    change(toy_bundle / path)
    require_refusal(toy_bundle, "1 file is not as signed", repr(path), says)


@pytest.mark.parametrize("path", [path for path in FILES if "/" in path])
def test_a_link_to_the_same_bytes(toy_bundle: Path, path: str) -> None:
    link(toy_bundle / path)
    require_refusal(toy_bundle, repr(path), "it is a link")


@pytest.mark.parametrize("change", [flip, cut, empty, grow, fifo], ids=lambda change: change.__name__)
@pytest.mark.parametrize("path", [MANIFEST, SIGNATURE])
def test_a_changed_manifest_or_signature(toy_bundle: Path, path: str, change: Callable[[Path], None]) -> None:
    change(toy_bundle / path)
    no_file = path == MANIFEST and change is fifo
    require_refusal(toy_bundle, code=Code.CORRUPT if no_file else Code.SIGNATURE)


def test_no_manifest_is_no_bundle(toy_bundle: Path) -> None:
    (toy_bundle / MANIFEST).unlink()
    require_refusal(toy_bundle, "there is no bundle here", str(toy_bundle), code=Code.USAGE)


def test_no_folder_is_no_bundle(tmp_path: Path) -> None:
    require_refusal(tmp_path / "nowhere", "there is no bundle here", code=Code.USAGE)


def test_a_folder_without_a_bundle_is_no_matter_of_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(tmp_path), "--prefix", str(tmp_path / "prefix")]) == Code.USAGE
    assert "there is no bundle here" in capsys.readouterr().err


def test_a_manifest_that_is_a_link(toy_bundle: Path) -> None:
    (toy_bundle / MANIFEST).rename(toy_bundle.parent / "elsewhere")
    (toy_bundle / MANIFEST).symlink_to(toy_bundle.parent / "elsewhere")
    require_refusal(toy_bundle, MANIFEST)


def test_two_files_swapped_are_both_named(toy_bundle: Path) -> None:
    one, other = toy_bundle / "INSTALL.txt", toy_bundle / "licences/zlib.txt"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    require_refusal(toy_bundle, "2 files are not as signed", "'INSTALL.txt'", "'licences/zlib.txt'")


def test_every_bad_file_is_named_at_once(toy_bundle: Path) -> None:
    for path in FILES:
        flip(toy_bundle / path)
    (toy_bundle / "more").write_bytes(b"")
    require_refusal(toy_bundle, "12 files are not as signed", "'more'", *map(repr, FILES))


def test_a_long_list_of_bad_files_is_cut(toy_bundle: Path) -> None:
    for number in range(60):
        (toy_bundle / f"extra{number:02}").write_bytes(b"")
    require_refusal(toy_bundle, "60 files are not as signed", "'extra49'", "and 10 more")


def test_the_files_of_another_signed_bundle(tmp_path: Path) -> None:
    bundle = toy.build(tmp_path / "bundle")
    other = toy.build(tmp_path / "other", toy.Toy(version="0.2.0", serial=6))
    for name in (MANIFEST, SIGNATURE):
        (other / name).replace(bundle / name)
    require_refusal(bundle, "'payload/app.tar.xz'", "'payload/contents.json'")


EXTRA = {
    "file": ("extra", lambda path: path.write_bytes(b"x"), "a file that is not listed"),
    "file in a folder": ("payload/extra", lambda path: path.write_bytes(b"x"), "a file that is not listed"),
    "hidden file": (".hidden", lambda path: path.write_bytes(b"x"), "a file that is not listed"),
    "empty folder": ("System Volume Information", lambda path: path.mkdir(), "a folder that is not listed"),
    "second manifest": ("keys/manifest.json", lambda path: path.write_bytes(b"{}"), "a file that is not listed"),
    "link": ("payload/extra", lambda path: path.symlink_to("python.tar.gz"), "a link that is not listed"),
    "dangling link": ("extra", lambda path: path.symlink_to("nowhere"), "a link that is not listed"),
    "link to the root": ("extra", lambda path: path.symlink_to("/"), "a link that is not listed"),
    "FIFO": ("extra", lambda path: os.mkfifo(path), "a FIFO that is not listed"),
    "other case": ("install.TXT", lambda path: path.write_bytes(b"x"), "differs from 'INSTALL.txt' in case"),
    "folder in other case": ("Payload", lambda path: path.mkdir(), "differs from 'payload' in case"),
    "control characters": ("a\x1b[2J\n", lambda path: path.write_bytes(b"x"), "'a\\x1b[2J\\n'"),
    "not UTF-8": ("a\udcff", lambda path: path.write_bytes(b"x"), "'a\\udcff'"),
}


@pytest.mark.parametrize(("path", "make", "says"), EXTRA.values(), ids=EXTRA)
def test_something_that_is_not_listed(toy_bundle: Path, path: str, make: Callable[[Path], object], says: str) -> None:
    make(toy_bundle / path)
    require_refusal(toy_bundle, "1 file is not as signed", says)


def test_a_socket_that_is_not_listed(toy_bundle: Path) -> None:
    os.mknod(toy_bundle / "extra", stat.S_IFSOCK | 0o600)
    require_refusal(toy_bundle, "'extra'", "a socket that is not listed")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
@pytest.mark.parametrize("path", ["extra", "install.sh"])
def test_a_device(toy_bundle: Path, path: str) -> None:
    (toy_bundle / path).unlink(missing_ok=True)
    os.mknod(toy_bundle / path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    require_refusal(toy_bundle, repr(path), "a device")


def test_a_name_in_other_case(toy_bundle: Path) -> None:
    (toy_bundle / "install.sh").rename(toy_bundle / "INSTALL.SH")
    require_refusal(toy_bundle, "'INSTALL.SH'", "differs from 'install.sh' in case", "'install.sh': it is missing")


def test_a_folder_that_is_a_link_to_the_same_files(toy_bundle: Path) -> None:
    (toy_bundle / "payload").rename(toy_bundle.parent / "elsewhere")
    (toy_bundle / "payload").symlink_to(toy_bundle.parent / "elsewhere")
    require_refusal(toy_bundle, "'payload': it is a link", "'payload/python.tar.gz': it is missing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(toy_bundle: Path) -> None:
    (toy_bundle / "install.sh").chmod(0)
    require_refusal(toy_bundle, "'install.sh'", "cannot be read")
