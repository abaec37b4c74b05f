"""Verifies a bundle: its signature, its manifest, then every file in one pass. Nothing is written."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from medlora_setup import minisign
from medlora_setup.archive_contents import Content, read_contents
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import MAX_BYTES, Manifest, Role, read, trusted_comment
from medlora_setup.manifest_records import MANIFEST, SIGNATURE
from medlora_setup.minisign import PublicKey, Signature
from medlora_setup.progress import Count
from medlora_setup.regular_file import GET_AGAIN, read_bounded
from medlora_setup.survey import read_listed, strays, wrong_bytes

__all__ = ["MANIFEST", "MAX_SIGNATURE", "SIGNATURE", "Verified", "read_manifest_bytes", "read_signature_text", "verify"]

MAX_SIGNATURE = 4096
NAMED = 50


@dataclass(frozen=True)
class Verified:
    """A bundle all of whose bytes are as they were signed, when they were read.

    `key` is the trusted key that signed it. The stick can change afterwards: what is small is kept here, and what is
    large is checked against `manifest` or `contents` (per archive) again while it is copied or unpacked.
    """

    folder: Path
    manifest: Manifest
    manifest_bytes: bytes
    signature_text: str
    key: PublicKey
    contents: dict[str, tuple[Content, ...]]

    def place(self, role: Role) -> Path:
        """Where the one file of `role` lies on the stick."""
        return self.folder / self.manifest.the(role).path

    def read(self, role: Role) -> bytes:
        """Read the one file of `role`, a small one, again; SetupError (exit 3) when it is no longer as signed."""
        return read_listed(self.folder, self.manifest.the(role))


def verify(
    folder: Path,
    key: PublicKey,
    *,
    signature_text: str | None = None,
    next_key: PublicKey | None = None,
    lowest_serial: int = 0,
    revoked: Collection[int] = (),
    on_progress: Count | None = None,
) -> Verified:
    """Verify the bundle in `folder`, signed with `key` or with the `next_key` that an earlier bundle announced.

    `signature_text`: that of a bundle about to be signed, instead of the file's.
    Raises SetupError: exit 2 when `folder` holds no bundle; exit 9 for the signature, another key, a serial below
    `lowest_serial` or in `revoked`; exit 3 for a malformed manifest, and for files, all of which are named at once.
    """
    data = read_manifest_bytes(folder)
    text = signature_text or read_signature_text(folder)
    used = _choose((key, next_key) if next_key else (key,), text)
    comment = minisign.verify(used, data, text)
    manifest = read(data)
    _require_comment(comment, trusted_comment(manifest, data))
    _require_serial(manifest, lowest_serial, revoked)
    _require_files(folder, manifest, on_progress)
    contents = read_contents(read_listed(folder, manifest.the(Role.CONTENTS)))
    return Verified(folder, manifest, data, text, used, contents)


def read_manifest_bytes(folder: Path) -> bytes:
    """The manifest's bytes, not looked into. Raises SetupError: exit 2 when `folder` holds no bundle, else exit 3."""
    if not os.path.lexists(folder / MANIFEST):
        fix = f"give the folder that holds {MANIFEST}"
        raise SetupError("there is no bundle here", where=str(folder), fix=fix, code=Code.USAGE)
    return read_bounded(folder / MANIFEST, MAX_BYTES)


def read_signature_text(folder: Path) -> str:
    """The signature file's text. Raises SetupError (exit 9) when it is missing, no plain file, too long or no text."""
    place = folder / SIGNATURE
    try:
        return read_bounded(place, MAX_SIGNATURE).decode()
    except SetupError as error:
        raise SetupError(f"no signature: {error.what}", where=str(place), fix=error.fix, code=Code.SIGNATURE) from error
    except UnicodeDecodeError as error:
        what = "the signature is malformed: it is not UTF-8"
        raise SetupError(what, where=str(place), fix=GET_AGAIN, code=Code.SIGNATURE) from error


def _choose(keys: Sequence[PublicKey], text: str) -> PublicKey:
    """The trusted key that the signature names; the first where it names none of them, which is then refused."""
    number = Signature.parse(text).number
    return next((key for key in keys if key.number == number), keys[0])


def _require_comment(comment: str, due: str) -> None:
    if comment != due:
        what = "the signature's trusted comment is for another manifest"
        raise SetupError(what, where=f"{SIGNATURE}: {comment!r}", fix=GET_AGAIN, code=Code.SIGNATURE)


def _require_serial(manifest: Manifest, lowest: int, revoked: Collection[int]) -> None:
    fix = "get the newest bundle"
    if manifest.serial in revoked:
        what = f"the bundle with serial {manifest.serial} has been revoked"
        raise SetupError(what, where=MANIFEST, fix=fix, code=Code.SIGNATURE)
    if manifest.serial < lowest:
        what = f"the bundle is older than what was installed: serial {manifest.serial}, at least {lowest} is due"
        raise SetupError(what, where=MANIFEST, fix=fix, code=Code.SIGNATURE)


def _require_files(folder: Path, manifest: Manifest, on_progress: Count | None) -> None:
    """Look for strays first, which is quick, then read all that is there; name everything that is wrong."""
    listed = {file.path: file for file in manifest.files}
    signature = {SIGNATURE} if os.path.lexists(folder / SIGNATURE) else set()
    problems = strays(folder, {*listed, MANIFEST} | signature)
    present = [file for path, file in listed.items() if path not in problems]
    problems |= wrong_bytes(folder, present, on_progress or (lambda _done, _total: None))
    if not problems:
        return
    count = "1 file is" if len(problems) == 1 else f"{len(problems)} files are"
    names = [f"{path!r}: {problem}" for path, problem in sorted(problems.items())]
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    where = "\n    ".join([str(folder), *names[:NAMED], *more])
    raise SetupError(f"{count} not as signed", where=where, fix=GET_AGAIN, code=Code.CORRUPT)
