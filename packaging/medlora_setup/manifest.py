"""Reads and writes a bundle's manifest: strict, bounded, and in exactly one way."""

from dataclasses import asdict, fields
from hashlib import sha256

from medlora_setup.manifest_fields import Fields, canonical, malformed, parsed
from medlora_setup.manifest_records import (
    MANIFEST,
    PRODUCT,
    SCHEMA,
    File,
    Join,
    Manifest,
    Model,
    Platform,
    Role,
    Source,
)
from medlora_setup.manifest_rules import require_sound

__all__ = [
    "MAX_BYTES",
    "File",
    "Join",
    "Manifest",
    "Model",
    "Platform",
    "Role",
    "Source",
    "read",
    "trusted_comment",
    "write",
]

MAX_BYTES = 1 << 20
MAX_ENTRIES = 10_000
ID = r"[a-z0-9][a-z0-9._-]{0,63}"
VERSION = r"[0-9]+(\.[0-9]+){1,3}([a-z0-9.+]{0,32})"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def read(data: bytes) -> Manifest:
    """Read a manifest that `write` wrote.

    Raises SetupError (exit 3) naming the field: one that is unknown, missing, of the wrong type or out of its bounds,
    that contradicts another, or bytes that are not the manifest's canonical form.
    """
    if len(data) > MAX_BYTES:
        raise malformed(f"it has {len(data)} bytes; at most {MAX_BYTES} are allowed", MANIFEST)
    manifest = _manifest(parsed(data, MANIFEST))
    require_sound(manifest)
    if write(manifest) != data:
        raise malformed("it is not in its canonical form (sorted members, no spaces)", MANIFEST)
    return manifest


def write(manifest: Manifest) -> bytes:
    """The manifest's canonical bytes. What `read` would refuse is written as well: read back what is to be signed."""
    return canonical(asdict(manifest))


def trusted_comment(manifest: Manifest, data: bytes) -> str:
    """The comment that the signature of `data`, the manifest's bytes, must carry."""
    digest = sha256(data).hexdigest()
    return f"product:{manifest.product} serial:{manifest.serial} version:{manifest.version} sha256:{digest}"


def _manifest(value: object) -> Manifest:
    top = _fields(value, MANIFEST, Manifest)
    if top.integer("schema") != SCHEMA:
        top.refuse("schema", f"this program reads schema {SCHEMA} only; the bundle is for another version of it")
    if top.text("product") != PRODUCT:
        top.refuse("product", f"the bundle is not one of {PRODUCT}")
    return Manifest(
        version=top.text("version", VERSION),
        serial=top.integer("serial", least=1),
        created=top.text("created", TIME),
        min_upgrade_from=top.integer("min_upgrade_from"),
        state_schema=top.integer("state_schema"),
        platform=_platform(top.values["platform"]),
        files=tuple(_file(value, where) for value, where in top.items("files", MAX_ENTRIES)),
        joins=tuple(_join(value, where) for value, where in top.items("joins", MAX_ENTRIES)),
        models=tuple(_model(value, where) for value, where in top.items("models", MAX_ENTRIES)),
        source=_source(top.values["source"]),
        next_key=None if top.values["next_key"] is None else top.text("next_key"),
        revoked_serials=tuple(
            Fields({"serial": value}, where).integer("serial", least=1)
            for value, where in top.items("revoked_serials", MAX_ENTRIES)
        ),
    )


def _file(value: object, where: str) -> File:
    entry = _fields(value, where, File)
    role = entry.text("role")
    if role not in set(Role):
        entry.refuse("role", "no file of a bundle has this role")
    mode = entry.integer("mode")
    if mode not in {0o644, 0o755}:
        entry.refuse("mode", "it must be 420 (0644) or 493 (0755)")
    return File(entry.text("path"), entry.integer("size"), entry.sha256("sha256"), Role(role), mode)


def _join(value: object, where: str) -> Join:
    entry = _fields(value, where, Join)
    parts = tuple(Fields({"path": part}, place).text("path") for part, place in entry.items("parts", MAX_ENTRIES))
    size, sha256 = entry.integer("size"), entry.sha256("sha256")
    return Join(entry.text("model", ID), entry.text("name"), parts, size, sha256)


def _model(value: object, where: str) -> Model:
    entry = _fields(value, where, Model)
    return Model(
        id=entry.text("id", ID),
        name=entry.text("name"),
        sha256=entry.sha256("sha256"),
        size=entry.integer("size"),
        licence=entry.text("licence"),
        intended_use=entry.text("intended_use"),
    )


def _platform(value: object) -> Platform:
    entry = _fields(value, f"{MANIFEST}, 'platform'", Platform)
    return Platform(
        os=entry.text("os", ID),
        arch=entry.text("arch", ID.replace(".", "._")),
        glibc_min=entry.text("glibc_min", r"[0-9]{1,3}\.[0-9]{1,3}"),
        cpu_min=entry.text("cpu_min", ID),
        ram_min_mb=entry.integer("ram_min_mb"),
        disk_min_mb=entry.integer("disk_min_mb"),
    )


def _source(value: object) -> Source:
    entry = _fields(value, f"{MANIFEST}, 'source'", Source)
    tools = entry.values["toolchain"]
    names = frozenset(tools) if isinstance(tools, dict) else frozenset()
    for name in sorted(names):
        if not name.isprintable():
            entry.refuse("toolchain", f"{name!r} is no name of a tool")
    versions = Fields.of(tools, f"{MANIFEST}, 'source', 'toolchain'", names)
    return Source(
        commit=entry.text("commit"),
        dirty=entry.flag("dirty"),
        source_date_epoch=entry.integer("source_date_epoch"),
        toolchain={name: versions.text(name) for name in sorted(names)},
    )


def _fields(value: object, where: str, record: type) -> Fields:
    return Fields.of(value, where, frozenset(field.name for field in fields(record)))
