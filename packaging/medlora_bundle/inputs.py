"""What a bundle is made from, and what is wrong with that before a long build begins."""

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from medlora_bundle import documents, extra_model
from medlora_bundle.lock import Lock
from medlora_bundle.requirements import ENGINE
from medlora_edge.errors import CorruptError, UsageError

PART_BYTES = 1900 << 20  # below 2,000 MiB, which every file system of a stick can hold


@dataclass(frozen=True)
class Inputs:
    """What a bundle is made from: the folder of `fetch`, its serial number, the key that will sign it, extra models.

    `engine`: a wheel that was built before; None: build it. `next_key`: accepted from this bundle on, beside `key`.
    `revoked`: serials that may no longer be used.
    """

    fetched: Path
    serial: int
    key: Path
    engine: Path | None = None
    models: tuple[Path, ...] = ()
    part_bytes: int = PART_BYTES
    min_upgrade_from: int = 1
    next_key: Path | None = None
    revoked: tuple[int, ...] = ()


def locked_file(inputs: Inputs, lock: Lock, name: str) -> Path:
    """Where the locked file called `name` lies. Raises CorruptError where the lock has none."""
    path = next((file.path for file in lock.files if file.name == name), None)
    if path is None:
        raise CorruptError(f"the lock names no {name}", where=str(inputs.fetched), fix="fetch again, into a new folder")
    return inputs.fetched / path


def require_usable(inputs: Inputs, lock: Lock) -> None:
    """Raise UsageError or CorruptError for a key, serial, engine wheel or model that cannot go into a bundle.

    Raises DataRuleError for a model without a licence, GateError for one without its licence's text.
    """
    for key in (inputs.key, inputs.next_key):
        if key:
            documents.read_key(key)
    if inputs.serial in inputs.revoked or inputs.serial < inputs.min_upgrade_from:
        what = f"bundle {inputs.serial} can neither revoke itself nor upgrade only from what comes after it"
        raise UsageError(what, fix="look at the serials")
    version = parse_sdist_filename(locked_file(inputs, lock, ENGINE).name)[1]
    if inputs.engine and _identity(inputs.engine) != (ENGINE, version):
        what = f"not a wheel of {ENGINE} {version}"
        raise UsageError(what, where=str(inputs.engine), fix="leave --engine out: it is built then")
    for gguf in inputs.models:
        extra_model.require_shippable(gguf)


def _identity(wheel: Path) -> tuple[str, Version] | None:
    """Distribution and version of a wheel that is there."""
    try:
        name, version, *_ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return None
    return (name, version) if wheel.is_file() else None
