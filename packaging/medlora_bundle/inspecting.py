"""Says what a bundle is made of, for a person and as JSON; its files are not read: that is what verifying is for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medlora_edge.models.units import size_text
from medlora_setup import minisign
from medlora_setup.errors import SetupError
from medlora_setup.manifest import Manifest, Role, read, trusted_comment
from medlora_setup.minisign import PublicKey
from medlora_setup.regular_file import read_bounded
from medlora_setup.verify import MAX_SIGNATURE, SIGNATURE, read_manifest_bytes, read_signature_text

UNSIGNED = "none"
VALID = "valid"


@dataclass(frozen=True)
class Inspection:
    """A bundle's manifest, the key it carries, and its signature: "valid" (for that key), "none", or what is wrong."""

    folder: Path
    manifest: Manifest
    key: PublicKey
    signature: str

    @property
    def sizes(self) -> Mapping[Role, tuple[int, int]]:
        """How many files of each role there are, and their bytes."""
        sizes: defaultdict[Role, list[int]] = defaultdict(list)
        for file in self.manifest.files:
            sizes[file.role].append(file.size)
        return {role: (len(sizes[role]), sum(sizes[role])) for role in sorted(sizes)}

    def document(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        manifest = self.manifest
        return {
            "product": manifest.product,
            "version": manifest.version,
            "serial": manifest.serial,
            "created": manifest.created,
            "min_upgrade_from": manifest.min_upgrade_from,
            "revoked_serials": list(manifest.revoked_serials),
            "platform": vars(manifest.platform),
            "key": {"id": self.key.key_id, "fingerprint": self.key.fingerprint, "next": manifest.next_key},
            "signature": self.signature,
            "files": {role: {"count": count, "bytes": size} for role, (count, size) in self.sizes.items()},
            "models": [vars(model) for model in manifest.models],
            "source": vars(manifest.source),
        }

    @property
    def text(self) -> str:
        """Everything a person asks first, a line each."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        manifest, needs, source = self.manifest, self.manifest.platform, self.manifest.source
        yield f"{manifest.product} {manifest.version}, serial {manifest.serial}, made {manifest.created}"
        yield f"key        {self.key.key_id}, fingerprint {self.key.fingerprint}"
        yield f"signature  {self.signature}"
        yield f"needs      {needs.os} on {needs.arch} from {needs.cpu_min}, glibc {needs.glibc_min}"
        yield f"           {_room(needs.ram_min_mb)} of memory, {_room(needs.disk_min_mb)} of disk"
        yield f"source     {source.commit}{', with changes' if source.dirty else ''}"
        for name, version in source.toolchain.items():
            yield f"           {name} {version}"
        for model in manifest.models:
            yield f"model      {model.id}, {size_text(model.size)}, {model.licence}, {model.intended_use}"
        for role, (count, size) in self.sizes.items():
            yield f"files      {role}: {count}, {size_text(size)}"


def inspect(bundle: Path) -> Inspection:
    """Look at the bundle in the folder `bundle`, signed or not yet.

    Raises SetupError: exit 2 when there is none, exit 3 for a malformed manifest, exit 9 for a malformed key.
    """
    data = read_manifest_bytes(bundle)
    manifest = read(data)
    text = read_bounded(bundle / manifest.the(Role.KEY).path, MAX_SIGNATURE)
    key = PublicKey.parse(text.decode(errors="replace"))
    return Inspection(bundle, manifest, key, _signature_state(bundle, manifest, data, key))


def _signature_state(bundle: Path, manifest: Manifest, data: bytes, key: PublicKey) -> str:
    if not (bundle / SIGNATURE).exists():
        return UNSIGNED
    try:
        comment = minisign.verify(key, data, read_signature_text(bundle))
    except SetupError as error:
        return error.what
    return VALID if comment == trusted_comment(manifest, data) else "its trusted comment is for another manifest"


def _room(mebibytes: int) -> str:
    return size_text(mebibytes << 20)
