"""The payload of a bundle: the tree that runs on the laptop, assembled from wheels and this machine's Python."""

from collections.abc import Sequence
from pathlib import Path

from medlora_bundle import app_tree, native_check, python_runtime
from medlora_bundle.archive_writing import contents_of, write_gzip, write_xz
from medlora_setup.archive_contents import write_contents


def make_tree(tree: Path, wheels: Sequence[Path]) -> str:
    """Make `tree`/python, `tree`/app and `tree`/bin, ready to run; return the glibc that they need.

    Raises CorruptError for a wheel that cannot be used, GateError for one that needs what no bundle holds.
    """
    app = app_tree.unpack_wheels(tree, wheels)
    python_runtime.make(tree, native_check.wanted(app))
    app_tree.finish(tree, wheels)
    return native_check.glibc_min(tree)


def write_archives(tree: Path, payload: Path, epoch: int) -> int:
    """Pack `tree` into the folder `payload`, with the list of what is in the archives; return its bytes, unpacked."""
    contents = {"python": contents_of(tree, ["python"]), "app": contents_of(tree, ["app", "bin"])}
    write_gzip(payload / "python.tar.gz", tree, contents["python"], epoch)
    write_xz(payload / "app.tar.xz", tree, contents["app"], epoch)
    (payload / "contents.json").write_bytes(write_contents(contents))
    return sum(content.size for listed in contents.values() for content in listed)
