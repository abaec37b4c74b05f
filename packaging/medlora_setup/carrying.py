"""Takes along, in an upgrade, the models that an earlier bundle brought and this one does not: no upgrade loses one."""

import os
from collections.abc import Sequence
from pathlib import Path

from medlora_setup import installed_files, joining, steps
from medlora_setup.carried import CARRIED, Carried, write_carried
from medlora_setup.layout import Layout
from medlora_setup.manifest import Join, Manifest
from medlora_setup.state import State


def carry(layout: Layout, manifest: Manifest, folder: Path, known: State) -> None:
    """Link the current version's models into the staged `folder`, list them there, and say which is the default.

    A model that the new bundle brings itself is its own; those that a revoked bundle brought stay behind. Raises
    SetupError (exit 3) when the current version's record is damaged.
    """
    carried = _wanted(layout, manifest, known)
    for content in (content for model in carried for content in model.files):
        (folder / content.path).parent.mkdir(parents=True, exist_ok=True)
        os.link(layout.version(layout.require_current()) / content.path, folder / content.path)
    steps.write_file(folder / CARRIED, write_carried(carried))
    default = installed_files.default_model(manifest, carried)
    if default is not None:
        steps.write_file(folder / installed_files.DEFAULT, installed_files.default_bytes(default))


def linkable_bytes(layout: Layout, joins: Sequence[Join], known: State | None) -> int:
    """Size of those models that the current version, by its record, has already. Raises as `carry`; hashes nothing."""
    recorded = {(content.path, content.sha256) for model in _brought(layout, known) for content in model.files}
    return sum(join.size for join in joins if (joining.place(join), join.sha256) in recorded)


def _wanted(layout: Layout, manifest: Manifest, known: State) -> tuple[Carried, ...]:
    own = {model.id for model in manifest.models}
    revoked = {*known.revoked, *manifest.revoked_serials}
    models = _brought(layout, known)
    return tuple(model for model in models if model.model not in own and model.serial not in revoked)


def _brought(layout: Layout, known: State | None) -> tuple[Carried, ...]:
    current = layout.current_name()
    if current is None or known is None:
        return ()
    version = layout.version(current)
    found = installed_files.manifest_of(version, known.versions.get(current, known.key))
    return installed_files.brought_models(version, found)
