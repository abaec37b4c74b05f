"""Correctly signed bundles whose archives are not what is listed: exit 3, and what was unpacked is gone again."""

import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_setup.archive import Content, read_contents, write_contents
from medlora_setup.decompression import MAX_RATIO
from medlora_setup.manifest import read
from medlora_setup.verify import MANIFEST
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import require_refusal

PYTHON, APP, CONTENTS = "payload/python.tar.gz", "payload/app.tar.xz", "payload/contents.json"
PROGRAM = "python/bin/python3.11"


def replaced(bundle: Path, path: str, content: bytes) -> None:
    """Put other content at `path` and sign it, so that only its inside is wrong."""
    (bundle / path).write_bytes(content)
    toy.sign(bundle, toy.relisted(read((bundle / MANIFEST).read_bytes()), bundle))


def archive(*entries: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """A python archive of its usual file and `entries`, whose content are zeros."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        usual = entry(PROGRAM, size=len(toy.PYTHON))
        tar.addfile(usual, io.BytesIO(toy.PYTHON))
        for other in entries:
            tar.addfile(other, io.BytesIO(bytes(other.size)))
    return stream.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


ENTRIES: dict[str, tuple[tarfile.TarInfo, str]] = {
    "traversal": (entry("../outside"), "'../outside'"),
    "traversal inside": (entry("python/../../outside"), "'python/../../outside'"),
    "absolute": (entry("/tmp/outside"), "'/tmp/outside'"),
    "not listed": (entry("python/more"), "'python/more'"),
    "twice": (entry(PROGRAM), PROGRAM),
    "in other case": (entry(PROGRAM.upper()), "'PYTHON/BIN/PYTHON3.11'"),
    "symbolic link": (entry("python/lib", tarfile.SYMTYPE, target="/etc"), "a symbolic link"),
    "link out of the folder": (entry(PROGRAM, tarfile.SYMTYPE, target="../../../outside"), "a symbolic link"),
    "hard link": (entry("python/x", tarfile.LNKTYPE, target="/etc/passwd"), "a hard link"),
    "character device": (entry("python/x", tarfile.CHRTYPE), "a device"),
    "block device": (entry("python/x", tarfile.BLKTYPE), "a device"),
    "FIFO": (entry("python/x", tarfile.FIFOTYPE), "a FIFO"),
    "contiguous file": (entry("python/x", tarfile.CONTTYPE), "an unknown kind"),
    "sparse file": (entry("python/x", tarfile.GNUTYPE_SPARSE), "an unknown kind"),
    "folder of nothing": (entry("python/empty", tarfile.DIRTYPE), "'python/empty'"),
    "folder above": (entry("..", tarfile.DIRTYPE), "'..'"),
    "control characters": (entry("python/\x1b[2J"), "\\x1b[2J"),
}


@pytest.mark.parametrize(("more", "says"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_may_not_be_there(toy_bundle: Path, more: tarfile.TarInfo, says: str) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(archive(more)))
    require_refusal(toy_bundle, PYTHON, says)


@pytest.mark.parametrize(
    ("form", "says"), [(tarfile.PAX_FORMAT, "an extension header"), (tarfile.GNU_FORMAT, "not in the ustar format")]
)
def test_other_forms_of_tar(toy_bundle: Path, form: int, says: str) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(archive(entry("ä" * 80), form=form)))
    require_refusal(toy_bundle, says)


def test_a_listed_file_that_is_missing(toy_bundle: Path) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(toy.tar({})))
    require_refusal(toy_bundle, PYTHON, "a file is missing", PROGRAM)


@pytest.mark.parametrize("content", [toy.PYTHON[:-1], toy.PYTHON + b"\n", b"", toy.PYTHON.replace(b"0", b"1")])
def test_a_file_with_other_content(toy_bundle: Path, content: bytes) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(toy.tar({PROGRAM: content})))
    require_refusal(toy_bundle, PYTHON, PROGRAM)


def test_the_archives_swapped(toy_bundle: Path) -> None:
    app = lzma.decompress((toy_bundle / APP).read_bytes())
    replaced(toy_bundle, PYTHON, gzip.compress(app))
    require_refusal(toy_bundle, "not listed")


TAR = toy.tar({PROGRAM: toy.PYTHON})
GZIP = gzip.compress(TAR, mtime=0)


def with_block(at: int, data: bytes) -> bytes:
    """The archive with other bytes at `at` in its first header, whose checksum is made right again."""
    header = bytearray(TAR[:512])
    header[at : at + len(data)] = data
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + TAR[512:])


STREAMS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "ends too early"),
    "not gzip": (TAR, "cannot be unpacked"),
    "xz under a gzip's name": (lzma.compress(TAR), "cannot be unpacked"),
    "half": (GZIP[: len(GZIP) // 2], "ends too early"),
    "without its last byte": (GZIP[:-1], "ends too early"),
    "with one more byte": (GZIP + b"x", "bytes follow its end"),
    "two streams": (GZIP + GZIP, "bytes follow its end"),
    "wrong checksum": (GZIP[:-8] + bytes(4) + GZIP[-4:], "cannot be unpacked"),
    "tar without an end": (gzip.compress(TAR[:1024]), "ends too early"),
    "tar cut in a file": (gzip.compress(TAR[:515]), "ends too early"),
    "more after the end": (gzip.compress(TAR[:2048] + b"x" * 512), "bytes follow its end"),
    "zeros without end": (gzip.compress(TAR + bytes(20_000)), "bytes follow its end"),
    "not tar": (gzip.compress(b"x" * 2048), "malformed"),
    "header's checksum": (gzip.compress(b"y" + TAR[1:]), "checksum"),
    "not ustar": (with_block(257, b"ustar  \0"), "ustar"),
    "old tar": (with_block(257, bytes(8)), "ustar"),
    "size in binary": (with_block(124, b"\x80" + bytes(11)), "malformed"),
    "negative size": (with_block(124, b"-0000000001\0"), "malformed"),
    "huge size": (with_block(124, b"77777777777\0"), "bytes, not"),
    "name that is not UTF-8": (with_block(0, b"\xff"), "not UTF-8"),
    "padding": (gzip.compress(TAR[:1000] + b"x" + TAR[1001:]), "padding"),
}


@pytest.mark.parametrize(("data", "says"), STREAMS.values(), ids=STREAMS)
def test_a_broken_stream(toy_bundle: Path, data: bytes, says: str) -> None:
    replaced(toy_bundle, PYTHON, data)
    require_refusal(toy_bundle, PYTHON, says)


def with_contents(bundle: Path, change: Callable[[Mapping[str, tuple[Content, ...]]], dict[str, object]]) -> None:
    contents = read_contents((bundle / CONTENTS).read_bytes())
    replaced(bundle, CONTENTS, write_contents(change(contents)))  # type: ignore[arg-type]


def listing(bundle: Path, content: Content) -> None:
    with_contents(bundle, lambda listed: {**listed, "python": [content]})


def test_a_bomb_that_the_list_admits(toy_bundle: Path) -> None:
    zeros = bytes(30 << 20)
    listing(toy_bundle, Content("python/zeros", len(zeros), sha256(zeros).hexdigest(), 0o644))
    replaced(toy_bundle, PYTHON, gzip.compress(toy.tar({"python/zeros": zeros})))
    require_refusal(toy_bundle, PYTHON, f"more than {MAX_RATIO} times its size")


def test_a_bomb_that_the_list_does_not_mention(toy_bundle: Path) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(archive(entry("python/zeros", size=30 << 20))))
    require_refusal(toy_bundle, PYTHON, "'python/zeros'")


def test_a_bomb_behind_the_end(toy_bundle: Path) -> None:
    replaced(toy_bundle, PYTHON, gzip.compress(TAR + bytes(30 << 20)))
    require_refusal(toy_bundle, PYTHON, "bytes follow its end")


def test_a_bomb_of_folders(toy_bundle: Path) -> None:
    folder = archive(entry("python", tarfile.DIRTYPE))[1024:1536]
    replaced(toy_bundle, PYTHON, gzip.compress(folder * 40_000 + TAR))
    require_refusal(toy_bundle, PYTHON, f"more than {MAX_RATIO} times its size")


def test_an_xz_stream_that_claims_four_gibibytes_of_memory(toy_bundle: Path) -> None:
    data = bytearray((toy_bundle / APP).read_bytes())
    size = (data[12] + 1) * 4
    assert data[14:16] == b"\x21\x01"  # block header: filter LZMA2, one byte of properties: the dictionary's size
    data[16] = 40
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    replaced(toy_bundle, APP, bytes(data))
    require_refusal(toy_bundle, APP, "cannot be unpacked")


LISTED: dict[str, Content] = {
    "traversal": Content("../outside", 0, "0" * 64, 0o644),
    "absolute": Content("/etc/passwd", 0, "0" * 64, 0o644),
    "reserved": Content("python/nul", 0, "0" * 64, 0o644),
    "set-user-id": Content(PROGRAM, 0, "0" * 64, 0o4755),
    "negative": Content(PROGRAM, -1, "0" * 64, 0o755),
    "no hash": Content(PROGRAM, 1, "", 0o755),
    "a file of the other archive": Content("bin/medlora-edge", 1, "0" * 64, 0o755),
    "a folder of the other archive": Content("bin", 1, "0" * 64, 0o755),
    "a folder in other case": Content("BIN/x", 1, "0" * 64, 0o755),
}


@pytest.mark.parametrize("content", LISTED.values(), ids=LISTED)
def test_a_list_that_names_what_may_not_be(toy_bundle: Path, content: Content) -> None:
    listing(toy_bundle, content)
    require_refusal(toy_bundle, "contents.json")


@pytest.mark.parametrize(
    "data", [b"", b"{}\n", b'{"app":[],"python":[],"x":[]}\n', b'{"app":[], "python":[]}\n', b"\xff"]
)
def test_a_list_in_another_form(toy_bundle: Path, data: bytes) -> None:
    replaced(toy_bundle, CONTENTS, data)
    require_refusal(toy_bundle, "contents.json")


def test_all_that_is_generated_here_starts_from_a_good_archive(toy_bundle: Path) -> None:
    contents = read_contents((toy_bundle / CONTENTS).read_bytes())
    assert contents["python"] == (Content(PROGRAM, len(toy.PYTHON), sha256(toy.PYTHON).hexdigest(), 0o755),)
    assert gzip.decompress((toy_bundle / PYTHON).read_bytes()) == TAR


def test_contents_change_what_is_listed(toy_bundle: Path) -> None:
    contents = read_contents((toy_bundle / CONTENTS).read_bytes())
    changed = replace(contents["python"][0], mode=0o644)
    listing(toy_bundle, changed)
    assert read_contents((toy_bundle / CONTENTS).read_bytes())["python"] == (changed,)
