"""Which key a bundle has to be signed with: the installed one; on a machine without one, that of the printed card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medlora_setup import state
from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import Layout
from medlora_setup.minisign import PublicKey
from medlora_setup.progress import Announce
from medlora_setup.regular_file import read_bounded
from medlora_setup.state import State
from medlora_setup.verify import Verified, read_manifest_bytes, verify

KEY_FILE = Path("keys", "release.pub")
LARGEST_KEY = 1024

Confirm = Callable[[str], bool]
"""Asks a question that "yes" answers."""


@dataclass(frozen=True)
class Trust:
    """Everything that `verify` holds a bundle against."""

    key: PublicKey
    next_key: PublicKey | None = None
    lowest_serial: int = 0
    revoked: tuple[int, ...] = ()

    def verify(self, bundle: Path, announce: Announce) -> Verified:
        """Verify a bundle. Raises SetupError as `medlora_setup.verify.verify`."""
        return verify(
            bundle,
            self.key,
            next_key=self.next_key,
            lowest_serial=self.lowest_serial,
            revoked=self.revoked,
            on_progress=announce("verifying the bundle"),
        )


def installed(known: State) -> Trust:
    """What an installation trusts."""
    next_key = PublicKey.parse(known.next_key) if known.next_key else None
    return Trust(PublicKey.parse(known.key), next_key, known.highest_serial, known.revoked)


def first(bundle: Path, fingerprint: str | None, confirm: Confirm) -> Trust:
    """Trust the bundle's own key, once it is known to be the one on the printed card.

    Raises SetupError: exit 9 when it is another one, or when `confirm` says no; 2 when `bundle` is no bundle.
    """
    read_manifest_bytes(bundle)  # a folder that is no bundle is no matter of keys
    key = PublicKey.parse(read_bounded(bundle / KEY_FILE, LARGEST_KEY).decode(errors="replace"))
    if fingerprint is None:
        known = confirm(f"The bundle's key is\n  {key.fingerprint}\nIs that what the printed card says?")
    else:
        known = key.has_fingerprint(fingerprint)
    if not known:
        fix = "compare the card and the stick; say the card's fingerprint with --key"
        what = f"the bundle's key has another fingerprint: {key.fingerprint}"
        raise SetupError(what, where=str(bundle / KEY_FILE), fix=fix, code=Code.SIGNATURE)
    return Trust(key)


def here(layout: Layout, bundle: Path, fingerprint: str | None, confirm: Confirm) -> Trust:
    """What this machine trusts: the key of its installation; without one, the card's. Raises as `first`."""
    known = state.read(layout)
    return installed(known) if known and not fingerprint else first(bundle, fingerprint, confirm)
