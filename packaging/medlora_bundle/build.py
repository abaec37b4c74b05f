"""Assembles a bundle from locked files: the same bytes whenever the lock, this machine's Python and compiler are."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from packaging.utils import parse_wheel_filename

from build_tools.manifest import sha256_of_file
from medlora_bundle import advisories, bundle_manifest, documents, expected_tokens, extra_model, papers, payload
from medlora_bundle.engine_wheel import build_engine_wheel
from medlora_bundle.fetch import INSTALLER
from medlora_bundle.inputs import Inputs, locked_file, require_usable
from medlora_bundle.lock import Lock, Purpose, read_lock
from medlora_bundle.requirements import ENGINE
from medlora_edge.errors import UsageError
from medlora_edge.models import read_manifest
from medlora_setup.manifest import Join, Manifest, Model, read, write

__all__ = ["Inputs", "build"]

MIGRATIONS = "medlora_edge/history/migrations/*.sql"


def build(inputs: Inputs, out: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Make the unsigned bundle in a folder of its own below `out`; return it. It is there whole or not at all.

    `say` is told what is begun.

    Raises MedloraError: exit 2 for what is missing or there already, 3 for a file that is not the locked one, 5 for
    a bundle that would not run on the laptop or has a known advisory, 6 for a model that may not be passed on.
    """
    lock = read_lock(inputs.fetched)
    advisories.require_none(lock.files)
    require_usable(inputs, lock)
    bundle = out / f"medlora-edge-{lock.version}-{inputs.serial}"
    if bundle.exists():
        raise UsageError("this bundle is there already", where=str(bundle), fix="choose another serial or folder")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{bundle.name}.") as work:
        _assemble(inputs, lock, Path(work), say).rename(bundle)
    return bundle


def _assemble(inputs: Inputs, lock: Lock, work: Path, say: Callable[[str], None]) -> Path:
    tree, bundle = work / "tree", work / "bundle"
    for folder in ("payload", "keys"):
        (bundle / folder).mkdir(parents=True)
    wheels = _wheels(inputs, lock, work, say)
    say("putting Python and the app together")
    glibc = payload.make_tree(tree, wheels)
    say("recording what the models answer on each kind of processor")
    expected_tokens.write(tree / "bin" / "medlora-edge", bundle / "payload" / "expected_tokens.json", inputs.models)
    models, joins = _models(inputs, lock, tree / "app", bundle)
    say("packing")
    unpacked = payload.write_archives(tree, bundle / "payload", lock.source.epoch)
    facts = {"VERSION": lock.version, "SERIAL": str(inputs.serial), "GLIBC": glibc}
    documents.write_documents(bundle, locked_file(inputs, lock, INSTALLER), facts)
    documents.write_key(bundle, inputs.key)
    hashes = {str(parse_wheel_filename(wheel.name)[0]): sha256_of_file(wheel) for wheel in wheels}
    say("listing contents and licences")
    papers.write(bundle, hashes, sdist=locked_file(inputs, lock, ENGINE), epoch=lock.source.epoch)
    manifest = Manifest(
        version=lock.version,
        serial=inputs.serial,
        created=bundle_manifest.time_of(lock.source.epoch),
        min_upgrade_from=inputs.min_upgrade_from,
        state_schema=len(list((tree / "app").glob(MIGRATIONS))),
        platform=bundle_manifest.platform_of(glibc, unpacked, [join.size for join in joins]),
        files=bundle_manifest.files_of(bundle),
        joins=joins,
        models=models,
        source=bundle_manifest.source_of(lock, compiled=inputs.engine is None),
        next_key=documents.read_key(inputs.next_key).line if inputs.next_key else None,
        revoked_serials=tuple(sorted(inputs.revoked)),
    )
    return _write_manifest(bundle, manifest)


def _wheels(inputs: Inputs, lock: Lock, work: Path, say: Callable[[str], None]) -> list[Path]:
    """The locked wheels of the app, and the engine's."""
    sdist = locked_file(inputs, lock, ENGINE)
    if inputs.engine is None:
        say("compiling the engine for every kind of processor: about 15 minutes on two cores")
    engine = inputs.engine or build_engine_wheel(sdist, sdist.parent, work)
    return [*(inputs.fetched / file.path for file in lock.files if file.purpose is Purpose.APP), engine]


def _models(inputs: Inputs, lock: Lock, app: Path, bundle: Path) -> tuple[tuple[Model, ...], tuple[Join, ...]]:
    """The models inside the app, and the extra ones, which are put into the bundle."""
    found = sorted(app.glob(f"{extra_model.SHIPPED}/*/manifest.json"))
    inside = [extra_model.of_manifest(read_manifest(path.parent)) for path in found]
    epoch, part_bytes = lock.source.epoch, inputs.part_bytes
    extra = [extra_model.add(gguf, bundle, app, part_bytes=part_bytes, epoch=epoch) for gguf in inputs.models]
    return (*inside, *(model for model, _ in extra)), tuple(join for _, join in extra)


def _write_manifest(bundle: Path, manifest: Manifest) -> Path:
    """Write it, and read it as the laptop will: what that refuses never leaves the builder."""
    data = write(manifest)
    read(data)
    (bundle / "manifest.json").write_bytes(data)
    return bundle
