"""Tells whether the installed version is still, byte for byte, what was signed, or what an upgrade took along."""

import stat
from dataclasses import dataclass
from pathlib import Path

from medlora_setup import installed_files, state
from medlora_setup.errors import SetupError
from medlora_setup.layout import PROGRAMS, Layout, serial_of
from medlora_setup.manifest import File
from medlora_setup.minisign import PublicKey
from medlora_setup.progress import Announce, silent
from medlora_setup.survey import strays, wrong_bytes


@dataclass(frozen=True)
class Change:
    """A file that is not as it was installed, and in which way; the path is that below the prefix."""

    path: str
    what: str


@dataclass(frozen=True)
class Status:
    """An installation: what is installed, what `rollback` goes back to, which files are not as they were signed."""

    prefix: str
    version: str
    serial: int
    highest_serial: int
    previous: str | None
    key: str
    """Fingerprint of the key that the next bundle has to be signed with."""
    files: int
    carried: int
    """How many of these an upgrade took along: no signature here covers them, only this installation's own record."""
    changes: tuple[Change, ...]


def status(layout: Layout, announce: Announce = silent) -> Status:
    """Re-hash the installed version. Raises SetupError: exit 2 when nothing is installed, 3 for a damaged record."""
    name, known = layout.require_current(), state.require(layout)
    checked, carried, found = _checked(layout, name, known.versions.get(name, known.key), announce)
    return Status(
        prefix=str(layout.prefix),
        version=name,
        serial=serial_of(name),
        highest_serial=known.highest_serial,
        previous=known.previous,
        key=PublicKey.parse(known.key).fingerprint,
        files=checked,
        carried=carried,
        changes=(*found, *_links(layout)),
    )


def as_it_should_be(found: Status) -> str:
    """In one sentence, what holds of an installation without changes."""
    if not found.carried:
        return "every installed file is as it was signed"
    return (
        f"every file of this bundle is as it was signed; {found.carried} files taken along from an earlier bundle are "
        "as this installation's own record says"
    )


def _checked(layout: Layout, name: str, key: str, announce: Announce) -> tuple[int, int, list[Change]]:
    """Number of files that the version should have, of those taken along, and what is wrong."""
    folder = layout.version(name)
    try:
        files = installed_files.files_of(folder, installed_files.manifest_of(folder, key))
        carried = sum(len(model.files) for model in installed_files.carried_in(folder))
        wrong = strays(folder, {*installed_files.UNHASHED, *(file.path for file in files)})
    except SetupError as error:
        return 0, 0, [Change(f"versions/{name}", f"its record cannot be trusted: {error.what}")]
    present = [file for file in files if file.path not in wrong]
    wrong |= wrong_modes(folder, present)
    wrong |= wrong_bytes(folder, present, announce("checking the installed files"))
    count = len(files) + len(installed_files.UNHASHED)
    return count, carried, [Change(f"versions/{name}/{path}", what) for path, what in sorted(wrong.items())]


def wrong_modes(folder: Path, files: list[File]) -> dict[str, str]:
    """Files that may be read, written or run by others than when they were installed."""
    modes = {file.path: (stat.S_IMODE((folder / file.path).lstat().st_mode), file.mode) for file in files}
    return {path: f"its mode is {mode:04o}, not {due:04o}" for path, (mode, due) in modes.items() if mode != due}


def _links(layout: Layout) -> list[Change]:
    wanted = {layout.programs / program: f"../current/bin/{program}" for program in PROGRAMS}
    return [
        Change(f"bin/{link.name}", "it is not the link that was made")
        for link, target in wanted.items()
        if not link.is_symlink() or str(link.readlink()) != target
    ]
