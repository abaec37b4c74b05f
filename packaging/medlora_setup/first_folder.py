"""Makes an installation's folder together with the record of what was made: both appear in one step, or neither."""

from dataclasses import replace
from pathlib import Path

from medlora_setup import state, steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import held
from medlora_setup.layout import Layout
from medlora_setup.machine import TRIAL
from medlora_setup.state import State

UNPACKED = ".medlora-edge-first."
"""How the names of those folders begin that install.sh unpacks itself to: the prefix, where that exists already."""


def require_ours(layout: Layout) -> None:
    """Require the prefix to be missing, empty, or of a setup: files would be overwritten, and removed by an uninstall.

    A setup that was killed before its first state.json, or after it removed that, left no more than its lock, drafts
    and an empty folder; install.sh may run out of one in there. Raises SetupError (exit 2).
    """
    if layout.state.exists() or not layout.prefix.is_dir():
        return
    if any(not _is_ours(layout, path) for path in layout.prefix.iterdir()):
        what, fix = "this folder holds other things", "name a new one with --prefix"
        raise SetupError(what, where=str(layout.prefix), fix=fix, code=Code.USAGE)


def _is_ours(layout: Layout, path: Path) -> bool:
    if path.is_symlink():
        return False
    if path.is_dir() and (path.name.startswith(UNPACKED) or not any(path.iterdir())):
        return True
    if path == layout.lock:
        return path.is_file() and not path.stat().st_size
    return path.name in {steps.draft_of(layout.state).name, TRIAL}


def make(layout: Layout, known: State) -> None:
    """Make the prefix, where it is missing, with a first state.json that counts the folders made."""
    missing = [folder for folder in (layout.prefix, *layout.prefix.parents) if not folder.exists()]
    if not missing:
        return
    top = missing[-1]
    known = replace(known, created=tuple(str(folder) for folder in reversed(missing)))
    with held(top.parent, "this place", fix="wait for the other setup to end"):
        _appear(top, layout.prefix.relative_to(top), known)


def _appear(top: Path, below: Path, known: State) -> None:
    draft = top.with_name(f".{top.name}.new")
    steps.remove_tree(draft)
    try:
        (draft / below).mkdir(parents=True)
        state.write(Layout(draft / below), known)
        steps.move(draft, top)
    finally:
        steps.remove_tree(draft)
