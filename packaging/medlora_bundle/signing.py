"""Signs a bundle, and makes the card that is carried to the laptop on paper."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medlora_bundle.secret_key import SecretKey, read_secret_key
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import Manifest, Role, read, trusted_comment
from medlora_setup.minisign import PublicKey
from medlora_setup.regular_file import read_bounded
from medlora_setup.verify import SIGNATURE, read_manifest_bytes, verify

MAX_KEY = 4096


@dataclass(frozen=True)
class Card:
    """What a person compares on the laptop before anything of the bundle runs there.

    `hashes`: SHA-256 by path of the two files that run before a signature is checked: the script and the interpreter.
    """

    product: str
    version: str
    serial: int
    key_id: str
    fingerprint: str
    hashes: dict[str, str]

    @property
    def text(self) -> str:
        """The card as it is printed; what stands in groups may be typed with the spaces or without."""
        lines = [f"{self.product} {self.version}, serial {self.serial}"]
        lines += [f"key {self.key_id}, fingerprint", f"    {self.fingerprint}"]
        for path, digest in self.hashes.items():
            groups = [digest[at : at + 4] for at in range(0, len(digest), 4)]
            lines += [f"SHA-256 of {path}", f"    {' '.join(groups[:8])}", f"    {' '.join(groups[8:])}"]
        return "\n".join(lines)


def sign(bundle: Path, secret_key: Path, ask_password: Callable[[], str]) -> Card:
    """Sign the bundle in the folder `bundle` once it verifies as it will on the laptop, and return its card.

    `ask_password` is called when the secret key is encrypted. Raises SetupError: exit 2 for a path that holds no
    bundle or no key, exit 3 for a bundle that is not as its manifest says, exit 9 for a wrong password or a key that
    is not the one in the bundle. Then the bundle stays as it was.
    """
    data = read_manifest_bytes(bundle)
    manifest = read(data)
    key = read_secret_key(secret_key, ask_password)
    _require_same_key(bundle / manifest.the(Role.KEY).path, key)
    text = key.sign(data, trusted_comment(manifest, data))
    verify(bundle, key.public, signature_text=text)
    (bundle / SIGNATURE).write_text(text, encoding="utf-8", newline="\n")
    return card(manifest, key.public)


def card(manifest: Manifest, key: PublicKey) -> Card:
    """The card of a bundle that `key` signs."""
    first = (manifest.the(role) for role in (Role.INSTALLER, Role.PYTHON))
    return Card(
        product=manifest.product,
        version=manifest.version,
        serial=manifest.serial,
        key_id=key.key_id,
        fingerprint=key.fingerprint,
        hashes={file.path: file.sha256 for file in first},
    )


def _require_same_key(place: Path, key: SecretKey) -> None:
    shipped = PublicKey.parse(read_bounded(place, MAX_KEY).decode(errors="replace"))
    if shipped != key.public:
        raise SetupError(
            f"the bundle carries the public key {shipped.key_id}; the secret key belongs to {key.public.key_id}",
            where=str(place),
            fix="sign with the key the bundle was built for, or build it again with this key's public half",
            code=Code.SIGNATURE,
        )
