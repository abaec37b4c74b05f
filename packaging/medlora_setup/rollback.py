"""Goes back to the version before the last upgrade, with the chats as they were then."""

from dataclasses import dataclass, replace
from pathlib import Path

from medlora_setup import chats, state, steps, versions
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import chats_closed, setup_alone
from medlora_setup.layout import PROGRAMS, Layout, serial_of
from medlora_setup.result import Result
from medlora_setup.state import State


@dataclass(frozen=True)
class Plan:
    """What a rollback would do; `chats` is the folder whose content it would set aside, if any."""

    current: str
    to: str
    chats: Path | None


def plan(layout: Layout) -> Plan:
    """Say what `rollback` would do. Raises SetupError: exit 2 when there is nothing to go back to, 9 when revoked."""
    current, known = layout.require_current(), state.require(layout)
    to = known.previous
    if to is None or not layout.version(to).is_dir():
        fix = "upgrade with the bundle of the version that you want"
        what = "there is no earlier version to go back to"
        raise SetupError(what, where=str(layout.prefix), fix=fix, code=Code.USAGE)
    if serial_of(to) in known.revoked:
        fix = "upgrade with a newer bundle"
        what = f"version {to} has been revoked: it may not be started again"
        raise SetupError(what, where=str(layout.version(to)), fix=fix, code=Code.SIGNATURE)
    history = Path(known.backups[to]) if to in known.backups else None
    return Plan(current, to, history)


def rollback(layout: Layout) -> Result:
    """Start the version before from now on and put its chats back; the newer ones are set aside, never deleted.

    Raises SetupError as `plan`, and exit 8 when the chats are open or another setup is at work.
    """
    plan(layout)
    with setup_alone(layout):
        wanted, known = plan(layout), state.require(layout)
        kept = None
        if wanted.chats and wanted.current != wanted.to:
            with chats_closed(wanted.chats):
                kept = chats.put_back(layout.backup(wanted.to), wanted.chats)
        versions.start_from_now_on(layout, wanted.to)
        _forget(layout, known, wanted.to)
        program = str(layout.programs / PROGRAMS[0])
        return Result("rolled back", wanted.to, program, kept=(str(kept),) if kept else ())


def _forget(layout: Layout, known: State, name: str) -> None:
    """There is one way back only; the copy of the chats is in its place again.

    A record that a full disk does not let be written says what does no harm: to go back to what is current already.
    """
    if name in known.backups:
        steps.remove_tree(layout.backup(name))
    backups = {other: folder for other, folder in known.backups.items() if other != name}
    with steps.if_there_is_room():
        state.write(layout, replace(known, previous=None, backups=backups))
