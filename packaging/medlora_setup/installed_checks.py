"""What lies on the disk: the installed version, whether its signature holds, whether its files are as signed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from medlora_setup import minisign, state
from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import Layout
from medlora_setup.manifest import Manifest, read, trusted_comment
from medlora_setup.manifest_records import File
from medlora_setup.minisign import PublicKey
from medlora_setup.qualification import Check, Outcome
from medlora_setup.status import as_it_should_be, status
from medlora_setup.verify import MANIFEST, SIGNATURE

NAMED = 8  # files that a report names; the rest is counted


@dataclass(frozen=True)
class Installed:
    """The current version of an installation, as its own records tell."""

    layout: Layout
    name: str
    key: PublicKey
    manifest: Manifest
    manifest_bytes: bytes

    @property
    def folder(self) -> Path:
        """The version's folder."""
        return self.layout.version(self.name)

    @property
    def launcher(self) -> Path:
        """The program that users start, through the installation's links."""
        return self.layout.programs / self.manifest.product

    def require_unchanged(self, path: str, listed: File) -> None:
        """Require a file of the version to be the one the manifest lists. Raises SetupError (exit 3)."""
        try:
            digest = hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        except OSError as error:
            digest = f"unreadable: {error.strerror}"
        if digest != listed.sha256:
            what = f"{path} is not the file that was signed ({digest})"
            raise SetupError(what, where=str(self.folder / path), fix="install the bundle again", code=Code.CORRUPT)


def installed_at(layout: Layout) -> Installed:
    """The current version. Raises SetupError: exit 2 when nothing is installed, 3 when its records are damaged."""
    name = layout.require_current()
    line = state.require(layout).versions.get(name)
    if line is None:
        fix = "install the bundle again"
        raise SetupError("the current version is not one that setup made", where=name, fix=fix, code=Code.CORRUPT)
    try:
        content = (layout.version(name) / MANIFEST).read_bytes()
    except OSError as error:
        what = f"the installed manifest cannot be read: {error.strerror}"
        raise SetupError(what, where=str(layout.version(name)), code=Code.CORRUPT) from error
    return Installed(layout, name, PublicKey.parse(line), read(content), content)


def check_signature(installed: Installed) -> Check:
    """Whether the stored manifest still carries the signature of the key that this installation trusts."""
    done = "The stored manifest's signature was verified against the key that was confirmed at installation."
    try:
        text = (installed.folder / SIGNATURE).read_text(encoding="utf-8")
        comment = minisign.verify(installed.key, installed.manifest_bytes, text)
    except (OSError, UnicodeDecodeError, SetupError) as error:
        return Check("Signature", done, str(error), Outcome.FAILED)
    if comment != trusted_comment(installed.manifest, installed.manifest_bytes):
        return Check("Signature", done, "Its trusted comment is for another manifest.", Outcome.FAILED)
    return Check("Signature", done, f"Valid, key {installed.key.fingerprint}.", Outcome.PASSED)


def check_files(installed: Installed) -> Check:
    """Whether every installed file is still the one that was signed, and no other lies among them."""
    done = "Every installed file was hashed again and compared with the signed list; strange files were looked for."
    try:
        found = status(installed.layout)
    except SetupError as error:
        return Check("Installed files", done, error.what, Outcome.FAILED)
    if not found.changes:
        words = f"{found.files:,} files were compared: {as_it_should_be(found)}; there are no others."
        return Check("Installed files", done, words, Outcome.PASSED)
    named = [f"{change.path}: {change.what}" for change in found.changes[:NAMED]]
    more = [f"and {len(found.changes) - NAMED} more"] if len(found.changes) > NAMED else []
    return Check("Installed files", done, "\n".join((*named, *more)), Outcome.FAILED)
