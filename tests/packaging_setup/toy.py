"""A bundle of a few kilobytes in the real format, with a real signature, made in milliseconds."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from nacl.signing import SigningKey

from medlora_bundle.secret_key import SecretKey
from medlora_setup.archive import Content, write_contents
from medlora_setup.manifest import File, Join, Manifest, Model, Platform, Role, Source, trusted_comment, write
from medlora_setup.minisign import UNTRUSTED, PublicKey
from medlora_setup.verify import MANIFEST, SIGNATURE

EPOCH = 1_790_000_000
PYTHON = b"#!/bin/sh\nexit 0\n"
PLATFORM = Platform("linux", "x86_64", "2.34", "x86-64-v2", 1, 1)
ROLES = {"keys": Role.KEY, "licences": Role.LICENCE, "models": Role.MODEL_PART, "sbom": Role.SBOM}
PAYLOAD = {
    "payload/app.tar.xz": Role.APP,
    "payload/contents.json": Role.CONTENTS,
    "payload/expected_tokens.json": Role.EXPECTED_TOKENS,
    "payload/python.tar.gz": Role.PYTHON,
}


def secret_key(number: int = 1) -> SecretKey:
    """The test's own keys, the same in every run."""
    seed = bytes([number]) * 32
    return SecretKey(seed, PublicKey(bytes([number]) * 8, bytes(SigningKey(seed).verify_key)))


KEY = secret_key()


@dataclass(frozen=True)
class Toy:
    """What goes into a toy bundle: archives by path inside them (mode 0755 where the content is a program)."""

    version: str = "0.1.0"
    serial: int = 5
    python: Mapping[str, bytes] = field(default_factory=lambda: {"python/bin/python3.11": PYTHON})
    app: Mapping[str, bytes] | None = None
    models: Mapping[str, tuple[bytes, ...]] = field(default_factory=lambda: {"tiny": (b"GGUF" * 50, b"rest" * 20)})
    expected_tokens: bytes = b"{}\n"
    min_upgrade_from: int = 0
    state_schema: int = 1
    next_key: PublicKey | None = None
    revoked: tuple[int, ...] = ()
    platform: Platform = PLATFORM

    @property
    def app_files(self) -> Mapping[str, bytes]:
        """By default two programs: both say which version they are, and that they are well when asked."""
        if self.app is not None:
            return self.app
        name = f"{self.version}-{self.serial}"
        program = f"#!/bin/sh\nif [ \"$1\" = self-test ]; then echo '{{}}'; else echo {name}; fi\n".encode()
        lists = {f"app/medlora_edge/shipped/{model}/manifest.json": b"{}\n" for model in self.models}
        return {"app/x.py": b"", "bin/medlora-edge": program, "bin/medlora-setup": program, **lists}


def build(folder: Path, toy: Toy | None = None, key: SecretKey = KEY) -> Path:
    """Make the signed bundle in the new folder `folder`."""
    toy = toy or Toy()
    contents = _contents(toy, key)
    for path, content in contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode_of(content))
    sign(folder, manifest_of(toy, contents), key)
    return folder


def sign(folder: Path, manifest: Manifest, key: SecretKey = KEY) -> None:
    """Write the manifest, whatever it says, and a signature that fits it."""
    sign_bytes(folder, write(manifest), trusted_comment(manifest, write(manifest)), key)


def sign_bytes(folder: Path, data: bytes, comment: str, key: SecretKey = KEY) -> None:
    """Write any bytes as the manifest, signed with any trusted comment."""
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_text(key.sign(data, comment))


def manifest_of(toy: Toy, contents: Mapping[str, bytes]) -> Manifest:
    """The manifest of a bundle with these files."""
    built = datetime.fromtimestamp(EPOCH, UTC)
    models = [
        Model(name, f"{name} model", sha256(joined).hexdigest(), len(joined), "Apache-2.0", "tests only")
        for name, parts in toy.models.items()
        for joined in [b"".join(parts)]
    ]
    return Manifest(
        version=toy.version,
        serial=toy.serial,
        created=built.strftime("%Y-%m-%dT%H:%M:%SZ"),
        min_upgrade_from=toy.min_upgrade_from,
        state_schema=toy.state_schema,
        platform=toy.platform,
        files=tuple(file_of(path, content) for path, content in sorted(contents.items())),
        joins=tuple(
            Join(model.id, f"{model.id}.gguf", tuple(_parts(model.id, toy)), model.size, model.sha256)
            for model in models
        ),
        models=tuple(models),
        source=Source("0" * 40, False, EPOCH, {"python": "3.11.7"}),
        next_key=toy.next_key.line if toy.next_key else None,
        revoked_serials=toy.revoked,
    )


def file_of(path: str, content: bytes) -> File:
    """The manifest's line for a file."""
    role = PAYLOAD.get(path) or ROLES.get(path.partition("/")[0])
    if role is None:
        role = Role.INSTALLER if path.endswith(".sh") else Role.DOCUMENT
    return File(path, len(content), sha256(content).hexdigest(), role, mode_of(content))


def relisted(manifest: Manifest, folder: Path) -> Manifest:
    """`manifest` with its files as they now lie in `folder`, so that only what is inside them is wrong."""
    files = tuple(file_of(file.path, (folder / file.path).read_bytes()) for file in manifest.files)
    return replace(manifest, files=files)


def listed(files: Mapping[str, bytes]) -> tuple[Content, ...]:
    """The list of what an archive with these files holds."""
    return tuple(
        Content(path, len(content), sha256(content).hexdigest(), mode_of(content))
        for path, content in sorted(files.items())
    )


def tar(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed archive of these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode_of(content), EPOCH
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def mode_of(content: bytes) -> int:
    """0755 for a program that starts with `#!`, else 0644."""
    return 0o755 if content.startswith(b"#!") else 0o644


def _contents(toy: Toy, key: SecretKey) -> dict[str, bytes]:
    files = {
        "INSTALL.txt": b"Read me first.\n",
        "install.sh": b"#!/bin/sh\n",
        "keys/release.pub": f"{UNTRUSTED}release key\n{key.public.line}\n".encode(),
        "licences/zlib.txt": b"zlib licence\n",
        "payload/app.tar.xz": lzma.compress(tar(toy.app_files), preset=0),
        "payload/contents.json": write_contents({"python": listed(toy.python), "app": listed(toy.app_files)}),
        "payload/expected_tokens.json": toy.expected_tokens,
        "payload/python.tar.gz": gzip.compress(tar(toy.python), mtime=0),
        "sbom/bundle.cdx.json": b"{}\n",
    }
    for name, parts in toy.models.items():
        files |= dict(zip(_parts(name, toy), parts, strict=True))
    return files


def _parts(model: str, toy: Toy) -> list[str]:
    return [f"models/{model}/part-{at:03}" for at in range(len(toy.models[model]))]
