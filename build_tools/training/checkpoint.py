"""Checkpoints that are whole or ignored: written under a hidden name, hashed, sealed, renamed last."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from build_tools.manifest import Output, outputs_of, sealed, unsealed
from build_tools.training.disk import disk_errors
from medlora_edge.errors import CorruptError, ResourceError
from medlora_edge.files import sync_folder, write_atomic

MARKER = "complete.json"
PREFIX = "step-"
KEPT = 2


class _Marker(BaseModel):
    """The last file written: what all others have to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    fingerprint: str
    files: dict[str, Output]


@dataclass(frozen=True)
class Found:
    """The newest checkpoint that is whole, or None; and those newer ones that are not, each with the reason."""

    path: Path | None
    skipped: tuple[str, ...]


def name(step: int) -> str:
    """A checkpoint's folder name; names sort like steps."""
    return f"{PREFIX}{step:08d}"


def step_of(path: Path) -> int:
    """The step of a checkpoint's folder."""
    return int(path.name.removeprefix(PREFIX))


@contextmanager
def writing(folder: Path, step: int, fingerprint: str) -> Iterator[Path]:
    """Give a folder to write into; it becomes the checkpoint of `step` when the block ends well.

    Raises ResourceError (exit 4) when the disk does not take it; earlier checkpoints are then untouched.
    """
    final, temporary = folder / name(step), folder / f".{name(step)}"
    try:
        with disk_errors(f"the checkpoint of step {step}", folder):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            yield temporary
            _seal(temporary, step, fingerprint)
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
            sync_folder(folder)
    except ResourceError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def require_whole(path: Path, fingerprint: str) -> None:
    """Raise CorruptError (exit 3) unless the checkpoint is whole and of this run."""
    if fault := _fault(path, fingerprint):
        raise CorruptError(f"the checkpoint is not whole: {fault}", where=str(path), fix="remove it and train again")


def newest(folder: Path, fingerprint: str) -> Found:
    """Look for where to go on: every file of a checkpoint is there, unchanged, and it belongs to this very run."""
    skipped = [f"{path.name}: saving it was cut off" for path in sorted(folder.glob(f".{PREFIX}*"), reverse=True)]
    for path in sorted(folder.glob(f"{PREFIX}*"), reverse=True):
        fault = _fault(path, fingerprint)
        if fault is None:
            return Found(path, tuple(skipped))
        skipped.append(f"{path.name}: {fault}")
    return Found(None, tuple(skipped))


def prune(folder: Path, keep: int | None) -> None:
    """Remove all but the newest two and that of step `keep`, and what a cut-off saving left."""
    paths = sorted(folder.glob(f"{PREFIX}*"))
    for path in (*paths[:-KEPT], *folder.glob(f".{PREFIX}*")):
        if keep is None or path.name != name(keep):
            shutil.rmtree(path, ignore_errors=True)


def _seal(folder: Path, step: int, fingerprint: str) -> None:
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    marker = _Marker(step=step, fingerprint=fingerprint, files=outputs_of(folder))
    write_atomic(folder / MARKER, sealed(marker))


def _fault(path: Path, fingerprint: str) -> str | None:
    if not (path / MARKER).is_file():
        return f"{MARKER} is missing: it was never finished"
    try:
        marker = unsealed(path / MARKER, _Marker)
        found = {file: output for file, output in outputs_of(path).items() if file != MARKER}
    except CorruptError as error:
        return f"{MARKER}: {error.what}" if MARKER in str(error.where) else str(error.what)
    if name(marker.step) != path.name:
        return f"it holds step {marker.step}"
    if marker.fingerprint != fingerprint:
        return "it was made with other data or settings"
    wrong = [file for file in sorted(marker.files.keys() | found.keys()) if marker.files.get(file) != found.get(file)]
    return _difference(wrong[0], marker, found) if wrong else None


def _difference(file: str, marker: _Marker, found: dict[str, Output]) -> str:
    if file not in found:
        return f"{file} is missing"
    return f"{file} is not as it was written" if file in marker.files else f"{file} does not belong there"
