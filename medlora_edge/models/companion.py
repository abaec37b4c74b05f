"""The manifest that came beside a GGUF: what its builder says about it, believed only for that very file."""

import json
from pathlib import Path

from medlora_edge.errors import CorruptError
from medlora_edge.models.manifest import FILE_NAME, MAX_BYTES, Manifest, read_manifest

TAKEN_OVER = {"licence", "notes", "lineage", "bench", "demonstration"}
FIX = "get file and manifest again, or move the file out of this folder to add it without"


def beside(path: Path, sha256: str) -> Manifest | None:
    """The manifest in the folder of the GGUF at `path`; None where there is none, or one for something else.

    Raises CorruptError when it is damaged, or names this file with another hash.
    """
    place = path.parent / FILE_NAME
    if not place.is_file() or _is_foreign(place):
        return None
    try:
        manifest = read_manifest(path.parent)
    except CorruptError as error:
        raise CorruptError(error.what, where=error.where, fix=FIX) from error
    if manifest.sha256 == sha256:
        return manifest
    if manifest.file != path.name:
        return None
    what = f"the file has SHA-256 {sha256[:12]}..., not {manifest.sha256[:12]}... as its manifest says"
    raise CorruptError(what, where=str(place), fix=FIX)


def take_over(own: Manifest, companion: Manifest, licence: str | None) -> Manifest:
    """`own`, made from the file itself, with what only its builder knows; a licence the user names stays."""
    known = companion.model_dump(include=TAKEN_OVER, exclude_none=True)
    return own.model_copy(update={**known, "licence": licence} if licence else known)


def _is_foreign(place: Path) -> bool:
    """Whether it is another program's `manifest.json`: sound JSON without our fields."""
    if place.stat().st_size > MAX_BYTES:
        return True
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return not (isinstance(content, dict) and content.keys() & {"sha256", "schema_version", "lineage"})
