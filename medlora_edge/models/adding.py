"""Adds a model to the catalogue: checked, copied or linked, hashed, described; there whole or not at all."""

import shutil
import tempfile
from pathlib import Path

from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import sync_folder
from medlora_edge.models import companion
from medlora_edge.models.catalogue import TEMPORARY, Entry, Model, changing, inspect, installed, shipped
from medlora_edge.models.hashing import Progress, copy_and_hash, sha256_of
from medlora_edge.models.manifest import Source, describe, source_of, write_manifest
from medlora_edge.models.names import name_from, require_name
from medlora_edge.models.units import MIB, size_text

SPARE = 64 * MIB


def add(
    path: Path,
    *,
    name: str | None = None,
    source: Source | None = None,
    licence: str | None = None,
    sha256: str | None = None,
    on_progress: Progress | None = None,
) -> Model:
    """Install the GGUF at `path` under `name`, by default made from its file name; `sha256`: what it must have.

    A `manifest.json` beside it gives lineage, licence, bench results and notes, unless it is for another file.
    Raises UsageError (exit 2) for a name or content that is already there or a file that cannot chat,
    CorruptError (exit 3) for a damaged one or another than that manifest says, ResourceError (exit 4) for a full or
    read-only disk, InUseError (exit 8) while another process changes the catalogue.
    """
    inspect(path)
    path = path.resolve()
    name = name_from(path) if name is None else require_name(name)
    with changing() as folder:
        require_free_name(name)
        work = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
        try:
            file = work / f"{name}.gguf"
            digest = _take(path, file, on_progress)
            _refuse_content(installed(), digest, sha256)
            known = companion.beside(path, digest)
            # What is described is what was taken in, whatever happened to the original meanwhile.
            header = inspect(file)
            manifest = describe(header, name=name, sha256=digest, source=source or source_of(path), licence=licence)
            if known:
                manifest = companion.take_over(manifest, known, licence)
            write_manifest(work, manifest)
            work.rename(folder / name)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        sync_folder(folder)
    return Model(name, folder / name / manifest.file, manifest)


def require_free_name(name: str) -> None:
    """Raise UsageError when a model already has this name, in any case."""
    if any(entry.name.casefold() == name.casefold() for entry in (*installed(), *shipped())):
        raise UsageError(
            f"there is already a model named {name!r}",
            fix="choose another name with --name, or remove the old one first",
        )


def _refuse_content(entries: tuple[Entry, ...], digest: str, wanted: str | None) -> None:
    if wanted and digest != wanted:
        raise CorruptError(
            f"the file has SHA-256 {digest[:12]}..., not the promised {wanted[:12]}...", fix="get it again"
        )
    for entry in entries:
        if entry.model and entry.model.manifest.sha256 == digest:
            raise UsageError(
                f"the same model is already installed as {entry.name!r}", fix=f"use it with --model {entry.name}"
            )


def _take(path: Path, file: Path, on_progress: Progress | None) -> str:
    """Hard-link `path` to `file` where that is possible, else copy it; return its SHA-256."""
    try:
        file.hardlink_to(path)
    except OSError:
        size, free = path.stat().st_size, shutil.disk_usage(file.parent).free
        if free < size + SPARE:
            raise ResourceError(
                f"the disk has {size_text(free)} free; the model needs {size_text(size + SPARE)}",
                where=str(file.parent.parent),
                fix="free space, or choose another place with MEDLORA_HOME",
            ) from None
        return copy_and_hash(path, file, on_progress)
    return sha256_of(file, on_progress)
