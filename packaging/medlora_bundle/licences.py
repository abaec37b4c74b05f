"""Licence texts of everything in a bundle, in one folder with an index; nothing may ship without its text."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from medlora_bundle.component import Component
from medlora_edge.errors import GateError

FOLDER = "licences"
COMMON = Path("/usr/share/common-licenses")
NAMED_COMMON = re.compile(rb"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])")
HEADER = "component | version | licence | its texts in this folder\n"
ONLY_NAMED = "named by the maker of {owner}, whose list holds no texts"


def collect(components: Sequence[Component], bundle: Path, common: Path = COMMON) -> None:
    """Write `licences/<component>/...` and `licences/INDEX.txt` into `bundle`.

    Texts that others refer to as the system's common licences are copied from the folder `common`.
    Raises GateError (exit 5) naming each component that has no text.
    """
    flat = [(one, None) for one in components] + [(part, one) for one in components for part in one.parts]
    if missing := [one.label for one, _ in flat if not one.texts and not one.maker_says]:
        raise GateError(f"no licence text of: {', '.join(missing)}", fix="a bundle ships no component without its text")
    folder = bundle / FOLDER
    for one, owner in flat:
        _write_texts(one, folder / _place(one, owner))
    _copy_common(folder, common)
    lines = sorted(_line(one, owner) for one, owner in flat)
    (folder / "INDEX.txt").write_text(HEADER + "".join(lines), encoding="utf-8")


def _place(one: Component, owner: Component | None) -> str:
    return f"{owner.name}/{one.name}" if owner else one.name


def _write_texts(one: Component, folder: Path) -> None:
    for text in one.texts:
        file = folder / text.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.content)


def _copy_common(folder: Path, common: Path) -> None:
    """Copy the texts that stand on every Debian system and that the collected ones only point to."""
    named = {name.decode() for file in _files(folder) for name in NAMED_COMMON.findall(file.read_bytes())}
    for name in sorted(named):
        if not (common / name).is_file():
            raise GateError(f"a licence refers to a text that is not on this machine: {name}", where=str(common))
        target = folder / "common-licenses" / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((common / name).read_bytes())


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _line(one: Component, owner: Component | None) -> str:
    where = ONLY_NAMED.format(owner=owner.name) if owner and one.maker_says else f"{_place(one, owner)}/"
    return f"{one.name} | {one.version or 'unknown'} | {one.licence} | {where}\n"
