"""Brings an installation to a newer bundle; the old version stays beside it."""

from dataclasses import replace
from pathlib import Path

from medlora_setup import carrying, chats, machine, staging, state, steps, trust, versions
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import chats_closed, setup_alone
from medlora_setup.layout import PROGRAMS, Layout, history_folder, serial_of
from medlora_setup.preflight import judge, require_fit
from medlora_setup.progress import Announce
from medlora_setup.result import Result
from medlora_setup.state import State
from medlora_setup.verify import MANIFEST, Verified


def upgrade(layout: Layout, bundle: Path, announce: Announce) -> Result:
    """Verify the bundle with the key that this installation trusts, and make it the version that starts.

    Raises SetupError as `verify` and `preflight` do; exit 2 when nothing is installed here, 7 when the staged program
    fails, 8 when the chats are open or another setup is at work, 9 when the installed version is too old for it.
    The version that starts is the old one until all is in place.
    """
    layout.require_current()
    with setup_alone(layout):
        old, known = layout.require_current(), state.require(layout)
        verified = trust.installed(known).verify(bundle, announce)
        name = verified.manifest.folder_name
        if name != old:
            _require_step(verified, old)
            _upgrade(layout, verified, known, announce)
        else:
            versions.require_same(layout, verified)
        known = versions.prune(layout, state.require(layout))
        return Result("upgraded", name, str(layout.programs / PROGRAMS[0]), previous=known.previous)


def _require_step(verified: Verified, old: str) -> None:
    manifest, serial = verified.manifest, serial_of(old)
    if manifest.serial == serial:
        raise versions.same_serial(serial)
    if serial < manifest.min_upgrade_from:
        due = manifest.min_upgrade_from
        fix = f"upgrade with a bundle in between first: serial {due} to {manifest.serial - 1}"
        what = f"the bundle upgrades from serial {due} on; installed is {serial}"
        raise SetupError(what, where=MANIFEST, fix=fix, code=Code.SIGNATURE)


def _upgrade(layout: Layout, verified: Verified, known: State, announce: Announce) -> None:
    there = carrying.linkable_bytes(layout, verified.manifest.joins, known)
    require_fit(judge(machine.look(layout.prefix), verified.manifest, there))
    old, history = layout.require_current(), history_folder()
    with chats_closed(history):  # from the beginning: rather now than after minutes of copying
        known = staging.stage(layout, verified, known, announce)
        if history.is_dir():
            steps.make_folder(layout.backups)
            known = replace(known, backups={**known.backups, old: str(history)})
            state.write(layout, known)
            chats.copy(history, layout.backup(old))
        state.write(layout, _after(known, verified, old))
        versions.start_from_now_on(layout, verified.manifest.folder_name)


def _after(known: State, verified: Verified, old: str) -> State:
    manifest = verified.manifest
    return replace(
        known,
        key=verified.key.line,
        next_key=manifest.next_key,
        highest_serial=manifest.serial,
        revoked=tuple(sorted({*known.revoked, *manifest.revoked_serials})),
        previous=old,
    )
