"""Takes along, in an upgrade, the models that an earlier bundle brought and this one does not: no upgrade loses one."""

import os
from pathlib import Path

from medlora_setup import installed_files, steps
from medlora_setup.archive_contents import Content, write_contents
from medlora_setup.layout import Layout, serial_of
from medlora_setup.manifest import Manifest
from medlora_setup.state import State


def carry(layout: Layout, manifest: Manifest, folder: Path, known: State) -> None:
    """Link the current version's models into the staged `folder`, and list there what was linked.

    A model that the new bundle brings itself is its own; those of a revoked bundle stay behind. Raises SetupError
    (exit 3) when the current version's record is damaged.
    """
    current = layout.current_name()
    carried: list[Content] = []
    if current is not None and serial_of(current) not in manifest.revoked_serials:
        version = layout.version(current)
        found = installed_files.manifest_of(version, known.versions.get(current, known.key))
        own = {model.id for model in manifest.models}
        for name, files in installed_files.bundled_models(version, found).items():
            if name not in own:
                carried += [Content(file.path, file.size, file.sha256, file.mode) for file in files]
        for content in carried:
            (folder / content.path).parent.mkdir(parents=True, exist_ok=True)
            os.link(version / content.path, folder / content.path)
    steps.write_file(folder / installed_files.CARRIED, write_contents({"python": (), "app": carried}))
