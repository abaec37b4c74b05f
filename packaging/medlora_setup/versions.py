"""Making a version the one that starts, and removing those that are not needed any more."""

from dataclasses import replace

from medlora_setup import staging, state, steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import PROGRAMS, Layout
from medlora_setup.state import State
from medlora_setup.verify import MANIFEST, Verified


def require_same(layout: Layout, verified: Verified) -> None:
    """Require the installed version of the bundle's name to be this very bundle. Raises SetupError (exit 9)."""
    if (layout.version(verified.manifest.folder_name) / MANIFEST).read_bytes() != verified.manifest_bytes:
        raise same_serial(verified.manifest.serial)


def same_serial(serial: int) -> SetupError:
    """Make the error for a bundle that is not the installed one and has its serial."""
    what = f"another bundle with serial {serial} is installed already"
    return SetupError(what, where=MANIFEST, fix="get the newest bundle", code=Code.SIGNATURE)


def start_from_now_on(layout: Layout, name: str) -> None:
    """Switch to a version: what starts is the old one until the moment it is this one."""
    steps.make_folder(layout.programs)
    for program in PROGRAMS:
        steps.point(layout.programs / program, f"../current/bin/{program}")
    steps.point(layout.current, f"versions/{name}")


def prune(layout: Layout, known: State) -> State:
    """Remove every version but the current and the one to go back to, with their copies of the chats."""
    keep = {layout.current_name(), known.previous}
    for name in known.versions:
        staging.sweep(layout, name)
        if name not in keep:
            steps.remove_tree(layout.version(name))
    for name in known.backups:
        if name != known.previous:
            steps.remove_tree(layout.backup(name))
    known = replace(
        known,
        versions={name: key for name, key in known.versions.items() if name in keep},
        backups={name: folder for name, folder in known.backups.items() if name == known.previous},
    )
    state.write(layout, known)
    return known
