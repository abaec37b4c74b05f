"""The first install of a bundle on a machine."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from medlora_setup import first_folder, machine, removal, staging, state, versions
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import setup_alone
from medlora_setup.layout import PROGRAMS, Layout
from medlora_setup.preflight import judge, require_fit
from medlora_setup.progress import Announce
from medlora_setup.result import Result
from medlora_setup.state import State
from medlora_setup.trust import Trust
from medlora_setup.verify import Verified


def install(layout: Layout, bundle: Path, trusted: Trust, announce: Announce) -> Result:
    """Verify the bundle with a key that is trusted from then on, and make it the version that starts.

    Nothing is written before all of it is verified, and nothing stays when it fails later. Raises SetupError as
    `verify` and `preflight` do; exit 2 when another version is installed here or the prefix holds other things, 9 for
    another bundle with the installed serial, 7 when the staged program fails, 8 when another setup is at work.
    """
    first_folder.require_ours(layout)
    verified = trusted.verify(bundle, announce)
    if layout.current_name() is None:
        require_fit(judge(machine.look(layout.prefix), verified.manifest))
    with _all_or_nothing(layout, verified):
        first_folder.make(layout, _first_state(verified))
        with setup_alone(layout):
            _install(layout, verified, announce)
    return Result("installed", layout.require_current(), str(layout.programs / PROGRAMS[0]))


def _install(layout: Layout, verified: Verified, announce: Announce) -> None:
    current, name = layout.current_name(), verified.manifest.folder_name
    if current == name:
        versions.require_same(layout, verified)
        return
    if current is not None:
        fix = f"upgrade it: '{layout.programs / PROGRAMS[1]}' upgrade BUNDLE"
        what = f"version {current} is installed here already"
        raise SetupError(what, where=str(layout.prefix), fix=fix, code=Code.USAGE)
    known, found = _first_state(verified), state.read(layout)
    if found:  # what an interrupted install made
        known = replace(known, versions=found.versions, created=found.created)
    known = staging.stage(layout, verified, known, announce)
    versions.start_from_now_on(layout, name)
    versions.prune(layout, known)


@contextmanager
def _all_or_nothing(layout: Layout, verified: Verified) -> Iterator[None]:
    """Take everything away again where the block fails before anything can be started, and no other setup is at it."""
    try:
        yield
    except BaseException:
        with suppress(SetupError, OSError):
            if layout.prefix.is_dir() and layout.current_name() is None:
                with setup_alone(layout):
                    removal.remove(layout, state.read(layout) or _first_state(verified))
        raise


def _first_state(verified: Verified) -> State:
    manifest = verified.manifest
    return State(
        key=verified.key.line,
        next_key=manifest.next_key,
        highest_serial=manifest.serial,
        revoked=manifest.revoked_serials,
        versions={},
        previous=None,
        backups={},
        created=(),
    )
