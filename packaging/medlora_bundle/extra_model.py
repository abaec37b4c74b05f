"""An extra model in a bundle: its file in parts that fit any stick, its description inside the app."""

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from build_tools.manifest import sha256_of_file
from medlora_edge.errors import DataRuleError, GateError
from medlora_edge.models import Manifest, describe, inspect, source_of, write_manifest
from medlora_edge.models.companion import beside, take_over
from medlora_edge.models.names import name_from
from medlora_edge.notice import NOTICE, UNTRAINED
from medlora_setup.manifest import Join, Model

CHUNK = 4 << 20
SHIPPED = "medlora_edge/shipped"
LICENCE_FILE = "LICEN[CS]E*"
OUR_LICENCE = "Apache-2.0"


def require_shippable(gguf: Path) -> None:
    """Raise for a file that `add` would refuse, and GateError for one whose licence text is not beside it."""
    inspect(gguf)
    licence = of_manifest(_described(gguf, name_from(gguf).lower(), sha256_of_file(gguf), epoch=0)).licence
    if not is_ours(licence) and not _licence_texts(gguf):
        fix = "put the text of its licence beside it, as LICENSE"
        raise GateError(f"the text of its licence, {licence}, is missing", where=str(gguf), fix=fix)


def is_ours(licence: str) -> bool:
    """Whether it is the licence of this project, whose text is in every bundle."""
    return licence.casefold() == OUR_LICENCE.casefold()


def add(gguf: Path, bundle: Path, app: Path, *, part_bytes: int, epoch: int) -> tuple[Model, Join]:
    """Put the model at `gguf` into `bundle`, cut into parts of at most `part_bytes`; into `app` its manifest, and the
    licence text that lies beside it.

    Raises UsageError for a file that cannot chat, CorruptError for a damaged one, DataRuleError for one that may not
    be passed on because nothing says under which licence it stands.
    """
    inspect(gguf)
    name = name_from(gguf).lower()
    parts, sha256 = _cut(gguf, bundle / "models" / name, part_bytes)
    manifest = _described(gguf, name, sha256, epoch)
    folder = app / SHIPPED / name
    folder.mkdir()
    write_manifest(folder, manifest)
    for text in _licence_texts(gguf):
        shutil.copyfile(text, folder / text.name)
    paths = tuple(part.relative_to(bundle).as_posix() for part in parts)
    return of_manifest(manifest), Join(name, manifest.file, paths, manifest.size_bytes, sha256)


def of_manifest(manifest: Manifest) -> Model:
    """What a bundle says of a model. Raises DataRuleError where no licence is known."""
    if not manifest.licence:
        fix = "take the file that `medlora-edge models fetch` installs, or state it in a manifest.json beside yours"
        raise DataRuleError("no licence is known for this model: it may not be passed on", where=manifest.name, fix=fix)
    use = manifest.notes or (UNTRAINED if manifest.untrained else NOTICE)
    return Model(manifest.name, manifest.file, manifest.sha256, manifest.size_bytes, manifest.licence, use)


def _described(gguf: Path, name: str, sha256: str, epoch: int) -> Manifest:
    own = describe(inspect(gguf), name=name, sha256=sha256, source=source_of(gguf))
    known = beside(gguf, sha256)
    manifest = take_over(own, known, None) if known else own
    return manifest.model_copy(update={"added": datetime.fromtimestamp(epoch, UTC)})


def _licence_texts(gguf: Path) -> list[Path]:
    return [path for path in gguf.parent.glob(LICENCE_FILE) if path.is_file()]


def _cut(gguf: Path, folder: Path, part_bytes: int) -> tuple[list[Path], str]:
    """Copy the file into parts; return them and the SHA-256 of the whole, read once."""
    folder.mkdir(parents=True)
    digest = hashlib.sha256()
    parts: list[Path] = []
    with gguf.open("rb") as stream:
        while (rest := gguf.stat().st_size - stream.tell()) > 0:
            part = folder / f"part-{len(parts):03}"
            with part.open("wb") as target:
                for chunk in _chunks(stream, min(rest, part_bytes)):
                    digest.update(chunk)
                    target.write(chunk)
            parts.append(part)
    return parts, digest.hexdigest()


def _chunks(stream: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0 and (chunk := stream.read(min(count, CHUNK))):
        count -= len(chunk)
        yield chunk
