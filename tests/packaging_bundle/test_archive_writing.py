"""Archives depend on their files alone, and the laptop's reader takes them."""

import os
from pathlib import Path

from medlora_bundle.archive_writing import contents_of, write_gzip, write_xz
from medlora_setup.archive import unpack

EPOCH = 1_790_000_000


def tree(folder: Path, names: list[str], time: int) -> Path:
    for name in names:
        path = folder / "python" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (time, time))
    (folder / "python" / names[0]).chmod(0o700)
    (folder / "beside").mkdir()
    (folder / "beside" / "not-listed").write_text("x")
    return folder


def test_order_times_and_owners_modes_leave_no_trace(tmp_path: Path) -> None:
    names = ["bin/a", "lib/b", "lib/é c"]
    one = tree(tmp_path / "1", names, 1)
    two = tree(tmp_path / "2", names, 2)
    for write in (write_gzip, write_xz):
        packed = []
        for folder in (one, two):
            write(folder / "archive", folder, contents_of(folder, ["python"]), EPOCH)
            packed.append((folder / "archive").read_bytes())
        assert packed[0] == packed[1]


def test_the_laptop_unpacks_them(tmp_path: Path) -> None:
    source = tree(tmp_path / "1", ["bin/a", "lib/" + "long" * 30 + "/b", "lib/c"], 1)
    contents = contents_of(source, ["python"])
    assert [(content.path, content.mode) for content in contents[:1]] == [("python/bin/a", 0o755)]
    for write, name in ((write_gzip, "a.tar.gz"), (write_xz, "a.tar.xz")):
        target = tmp_path / name.replace(".", "-")
        target.mkdir()
        write(tmp_path / name, source, contents, EPOCH)
        unpack(tmp_path / name, target, contents)
        assert contents_of(target, ["python"]) == contents
