"""The source distribution of the pinned llama-cpp-python: llama.cpp's own converter, templates and tools."""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from build_tools.manifest import sha256_of_file
from medlora_edge.errors import CorruptError, ResourceError, UsageError

VERSION = "0.3.36"
NAME = f"llama_cpp_python-{VERSION}"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"


def unpacked(folder: Path) -> Path:
    """Its root inside `folder`, downloaded with pip and unpacked at the first call.

    Raises CorruptError for an archive of another hash, UsageError when pip cannot get it, ResourceError when the
    disk has no room for it.
    """
    root = folder / NAME
    if not root.exists():
        _unpack(_archive(folder), root)
    return root


def _archive(folder: Path) -> Path:
    archive = folder / f"{NAME}.tar.gz"
    if not archive.exists():
        _download(folder)
    if sha256_of_file(archive) != SHA256:
        raise CorruptError("not the pinned source distribution", where=str(archive), fix="delete it and run again")
    return archive


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    command += ["--dest", str(folder), f"llama-cpp-python=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise UsageError(
            f"pip cannot get llama-cpp-python {VERSION}: {reason}",
            where=str(folder),
            fix=f"run this where the network is, or put {NAME}.tar.gz into that folder",
        )


def _unpack(archive: Path, root: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=root.parent) as workplace, tarfile.open(archive) as tar:
            tar.extractall(workplace, filter="data")
            (Path(workplace) / NAME).replace(root)
    except OSError as error:
        raise ResourceError(
            f"the source distribution cannot be unpacked: {error.strerror}", where=str(root), fix="free space"
        ) from error
