"""Joins a model's parts into one file, hashed while it is written; one that is installed already is linked instead."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import Layout
from medlora_setup.manifest import Join
from medlora_setup.progress import Count
from medlora_setup.regular_file import open_regular, unreadable

CHUNK = 1 << 20
MODELS = "app/medlora_edge/shipped"
"""Where in a version's folder the app looks for the models that came with it, one folder each."""


def place(join: Join) -> str:
    """Path of the joined file in its version's folder."""
    return f"{MODELS}/{join.model}/{join.name}"


def join(layout: Layout, wanted: Join, bundle: Path, version: Path, count: Count) -> None:
    """Put the model's file into the folder `version`. Raises SetupError (exit 3) when the parts have changed.

    A hard link to the same bytes in another version spares reading the stick and a second copy on the disk.
    """
    target = version / place(wanted)
    target.parent.mkdir(parents=True, exist_ok=True)
    for other in _candidates(layout, wanted):
        if other != target:
            os.link(other, target)
            if _digest([target], None, wanted, count) == wanted.sha256:
                return
            target.unlink()
    with target.open("xb") as stream:
        os.fchmod(stream.fileno(), 0o644)
        digest = _digest([bundle / part for part in wanted.parts], stream, wanted, count)
        os.fsync(stream.fileno())
    if digest != wanted.sha256:
        fix = "look for another program at work on the stick, then run this again"
        what = f"the parts of the model {wanted.model} changed after they were verified"
        raise SetupError(what, where=str(bundle), fix=fix, code=Code.CORRUPT)


def _candidates(layout: Layout, wanted: Join) -> list[Path]:
    found = sorted(layout.versions.glob(f"*/{place(wanted)}"))
    return [path for path in found if not path.is_symlink() and path.stat().st_size == wanted.size]


def _digest(paths: list[Path], copy: BinaryIO | None, wanted: Join, count: Count) -> str:
    """SHA-256 of the files one after the other, written to `copy` on the way; never more than one piece too many."""
    digest, done = sha256(), 0
    for piece in _pieces(paths):
        digest.update(piece)
        done += len(piece)
        if done > wanted.size:
            break
        if copy:
            copy.write(piece)
        count(done, wanted.size)
    return digest.hexdigest()


def _pieces(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        with open_regular(path) as stream:
            try:
                while piece := stream.read(CHUNK):
                    yield piece
            except OSError as error:
                raise unreadable(error, path) from error
