"""Whose the files of the bundle's Python are: CPython's, or the Debian packages' whose libraries lie beside it."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from urllib.parse import quote

from medlora_bundle.component import Component, Kind, Text
from medlora_bundle.shipped import Shipped
from medlora_edge.errors import GateError

PYTHON = "python/"
LICENCES = "python/share/licences/"
LIBRARY = "python/lib/python3."
VERSION = re.compile(rb"(?<![\d.])(3\.\d+\.\d+(?:(?:a|b|rc)\d+)?\+?)\x00")
LICENCE = re.compile(r"^License: *(\S.*)$", re.MULTILINE)

Files = Mapping[str, Shipped]


def components(files: Files) -> tuple[Component, ...]:
    """CPython, and one component for each package of the machine that a library was copied from."""
    packages = tuple(_packages(files))
    taken = {file.path for package in packages for file in package.files}
    own = tuple(file for file in files.values() if _is_pythons(file.path) and file.path not in taken)
    return (_cpython(own), *packages)


def _is_pythons(path: str) -> bool:
    return path.startswith(PYTHON) and "/site-packages/" not in path


def _cpython(own: tuple[Shipped, ...]) -> Component:
    (text,) = (file for file in own if file.path.startswith(LIBRARY) and file.path.endswith("/LICENSE.txt"))
    version = _version(own)
    return Component(
        name="cpython",
        version=version,
        kind=Kind.PLATFORM,
        licence="PSF-2.0",
        purl=f"pkg:github/python/cpython@v{version}",
        files=own,
        texts=(Text("LICENSE.txt", text.here.read_bytes()),),
    )


def _version(own: tuple[Shipped, ...]) -> str:
    """What the interpreter's own bytes say: those of its library where it has one, else of its program."""
    native = [file for file in own if "/libpython3." in file.path] or [file for file in own if "/bin/" in file.path]
    matches = [match for file in native for match in VERSION.findall(file.here.read_bytes())]
    if not matches:
        raise GateError("the interpreter does not say which version it is", where=native[0].path)
    return str(matches[0].decode())


def _packages(files: Files) -> Iterator[Component]:
    listed = json.loads(files[LICENCES + "packages.json"].here.read_text(encoding="utf-8"))
    for (name, version), entries in groupby(sorted(listed, key=_package), key=_package):
        text = files[f"{LICENCES}{name}/copyright"]
        libraries = tuple(files[f"{PYTHON}lib/{entry['library']}"] for entry in entries)
        yield Component(
            name=name,
            version=version,
            kind=Kind.LIBRARY,
            licence=_licence(text.here.read_text(encoding="utf-8")),
            purl=f"pkg:deb/debian/{name}@{quote(version, safe=':~')}?arch=amd64",
            files=(*libraries, text),
            texts=(Text("copyright", text.here.read_bytes()),),
        )


def _licence(copyright_file: str) -> str:
    """What a package's copyright file names: the licences of its whole source, of which the library is a part."""
    named = list(dict.fromkeys(LICENCE.findall(copyright_file)))
    return named[0] if len(named) == 1 else f"see its copyright file ({'; '.join(named) or 'free text'})"


def _package(entry: Mapping[str, str]) -> tuple[str, str]:
    return entry["package"], entry["version"]
