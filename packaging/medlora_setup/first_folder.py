"""Makes an installation's folder together with the record of what was made: both appear in one step, or neither."""

from dataclasses import replace
from pathlib import Path

from medlora_setup import state, steps
from medlora_setup.holding import held
from medlora_setup.layout import Layout
from medlora_setup.state import State


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
