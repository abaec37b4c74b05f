"""SHA-256 of model files, remembered by identity, size and times, so that a model is hashed once."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from medlora_edge import paths
from medlora_edge.errors import CorruptError, MedloraError
from medlora_edge.files import write_atomic
from medlora_edge.models.regular_file import open_regular

CHUNK = 4 << 20
REMEMBERED = 64

Progress = Callable[[int, int], None]  # bytes done, bytes in all


def sha256_of(path: Path, on_progress: Progress | None = None, *, fresh: bool = False) -> str:
    """SHA-256 in hexadecimal; from memory when the file is the same as last time, unless `fresh`.

    Raises UsageError for what is no regular file, CorruptError when the disk fails or the file changes.
    """
    with open_regular(path) as stream:
        before = _identity(stream)
        known = _remembered()
        if before in known and not fresh:
            return known[before]
        try:
            digest = _hash(stream, on_progress)
        except OSError as error:
            raise CorruptError(f"the disk cannot read the file: {error.strerror}", where=str(path)) from error
        if _identity(stream) != before:
            raise CorruptError("the file changed while it was read", where=str(path), fix="wait for its writer")
    _remember(known, before, digest)
    return digest


def identity_of(path: Path) -> str:
    """Which file this is, and when it was last written. Raises UsageError for what is no regular file."""
    with open_regular(path) as stream:
        return _identity(stream)


def remembered(path: Path) -> str | None:
    """SHA-256 of a file that is the same as when it was hashed; None: it would have to be read.

    Raises UsageError for what is no regular file.
    """
    with open_regular(path) as stream:
        return _remembered().get(_identity(stream))


def copy_and_hash(source: Path, target: Path, on_progress: Progress | None = None) -> str:
    """Copy `source` to the new file `target` (mode 0600), flushed to disk, and return its SHA-256.

    Raises OSError as the disk gives it.
    """
    with open_regular(source) as stream, target.open("xb") as copy:
        target.chmod(0o600)
        digest = _hash(stream, on_progress, copy)
        copy.flush()
        os.fsync(copy.fileno())
        _remember(_remembered(), _identity(copy), digest)
    return digest


def _hash(stream: BinaryIO, on_progress: Progress | None, copy: BinaryIO | None = None) -> str:
    digest, done, total = hashlib.sha256(), 0, os.fstat(stream.fileno()).st_size
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        if copy:
            copy.write(chunk)
        done += len(chunk)
        if on_progress:
            on_progress(done, total)
    return digest.hexdigest()


def _identity(stream: BinaryIO) -> str:
    status = os.fstat(stream.fileno())
    return ":".join(map(str, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)))


def _cache_file() -> Path:
    return paths.state_dir() / "model-hashes.json"


def _remembered() -> dict[str, str]:
    try:
        known = json.loads(_cache_file().read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(known, dict) or not all(isinstance(digest, str) for digest in known.values()):
        return {}
    return known


def _remember(known: dict[str, str], identity: str, digest: str) -> None:
    """Keep the newest; a place that cannot be written only costs hashing again."""
    kept = {**{key: value for key, value in known.items() if key != identity}, identity: digest}
    newest = dict(list(kept.items())[-REMEMBERED:])
    with suppress(OSError, MedloraError):
        paths.private_folder(paths.state_dir())
        write_atomic(_cache_file(), json.dumps(newest, indent=1).encode())
