"""The source distribution of the pinned llama-cpp-python: its templates, vocabularies and llama.cpp's own tools."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.cache import cache_folder
from medlora_edge.errors import CorruptError

VERSION = "0.3.36"
NAME = f"llama_cpp_python-{VERSION}"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"


def unpacked() -> Path:
    """Its root folder, downloaded with pip and unpacked at the first call.

    Raises CorruptError for an archive of another hash, CalledProcessError when pip cannot get it.
    """
    root = cache_folder() / NAME
    if not root.exists():
        _unpack(_archive(), root)
    return root


def _archive() -> Path:
    archive = cache_folder() / f"{NAME}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(archive.parent), f"llama-cpp-python=={VERSION}"], check=True)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise CorruptError("not the pinned source distribution", where=str(archive), fix="delete it and run again")
    return archive


def _unpack(archive: Path, root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=root.parent) as workplace, tarfile.open(archive) as tar:
        tar.extractall(workplace, filter="data")
        (Path(workplace) / NAME).replace(root)
