"""Who owns each file that a bundle brings: no file may be without an owner, and none may have two."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from medlora_bundle import carried_lists, model_owner, native_parts, runtime_owner, wheel_owner
from medlora_bundle.component import Component, Kind
from medlora_bundle.native_parts import Places
from medlora_bundle.shipped import Shipped
from medlora_edge.errors import GateError

OURS = "medlora-edge"
LAUNCHERS = "bin/"
INSTALLER = "/site-packages/medlora_setup/"
SHOWN = 5

Files = Mapping[str, Shipped]


def components(files: Files, wheels: Mapping[str, str], sdist: Mapping[str, bytes]) -> tuple[Component, ...]:
    """Everything in the archives of a bundle. `wheels`: SHA-256 of each wheel by its name; `sdist`: see `read_sdist`.

    Raises GateError for a file without an owner, or of two; for a wheel that is not there; and as `native_parts`.
    """
    found = wheel_owner.components(files, wheels)
    if missing := sorted(set(wheels) - {wheel.name for wheel in found}):
        raise GateError(f"nothing of a wheel is in the bundle: {', '.join(missing)}", fix="build it again")
    (our_wheel,) = (wheel for wheel in found if wheel.name == OURS)
    models = model_owner.components(files, our_wheel.texts[0])
    ours = _ours(our_wheel, models, files)
    others = tuple(_with_parts(wheel, sdist) for wheel in found if wheel is not our_wheel)
    all_of_them = (ours, *models, *others, *runtime_owner.components(files))
    _require_one_owner(files, all_of_them)
    return all_of_them


def _ours(wheel: Component, models: tuple[Component, ...], files: Files) -> Component:
    """Our program: its wheel without the models in it, its launchers, and the installer beside Python."""
    taken = {file.path for model in models for file in model.files}
    own = [file for file in wheel.files if file.path not in taken]
    beside = [file for path, file in files.items() if path.startswith(LAUNCHERS) or INSTALLER in path]
    return replace(wheel, kind=Kind.APPLICATION, purl=f"pkg:generic/{OURS}@{wheel.version}", files=(*own, *beside))


def _with_parts(wheel: Component, sdist: Mapping[str, bytes]) -> Component:
    metadata = next(file.here.parent for file in wheel.files if file.path.endswith(".dist-info/METADATA"))
    parts = (*native_parts.parts(wheel, Places(metadata, sdist)), *carried_lists.parts(wheel))
    taken = {file.path for part in parts for file in part.files}
    return replace(wheel, parts=parts, files=tuple(file for file in wheel.files if file.path not in taken))


def _require_one_owner(files: Files, found: tuple[Component, ...]) -> None:
    owners = Counter(file.path for one in found for part in (one, *one.parts) for file in part.files)
    for problem, paths in (
        ("files without an owner", sorted(set(files) - set(owners))),
        ("files with two owners", sorted(path for path, count in owners.items() if count > 1)),
    ):
        if paths:
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            raise GateError(f"{problem}: {', '.join(paths[:SHOWN])}{more}", fix="leave them out, or name their owner")
