"""Which wheel each file of the app came from, by the wheels' own records; their names, licences and texts."""

import base64
import csv
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import Parser
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from medlora_bundle.component import Component, Kind, Text
from medlora_bundle.shipped import Shipped
from medlora_edge.errors import GateError

APP = "app/"
RECORD = ".dist-info/RECORD"
BYTE_CODE = re.compile(r"(?P<folder>.*/)__pycache__/(?P<module>[^/]+?)\.cpython-\d+(\.opt-\d)?\.pyc")
TEXT = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$", re.IGNORECASE)

NOT_DECLARED = {"sqlcipher3": "Zlib"}  # by its licence file; its metadata say nothing

Files = Mapping[str, Shipped]


def components(files: Files, hashes: Mapping[str, str]) -> tuple[Component, ...]:
    """One component for each wheel in the app; `hashes` has the SHA-256 of each by its name.

    Raises GateError for a file that is not the one its wheel's record lists.
    """
    records = [path for path in files if path.startswith(APP) and path.endswith(RECORD)]
    return tuple(_component(files, PurePosixPath(record).parent, hashes) for record in records)


def _component(files: Files, info: PurePosixPath, hashes: Mapping[str, str]) -> Component:
    metadata = Parser().parsestr(files[f"{info}/METADATA"].here.read_text(encoding="utf-8"))
    name, version = canonicalize_name(metadata["Name"]), metadata["Version"]
    own = tuple(_own(files, info))
    return Component(
        name=name,
        version=version,
        kind=Kind.LIBRARY,
        licence=_licence(name, metadata),
        summary=metadata["Summary"] or "",
        purl=f"pkg:pypi/{name}@{version}" if name in hashes else None,
        sha256=hashes.get(name),
        files=own,
        texts=tuple(_texts(own, info)),
    )


def _own(files: Files, info: PurePosixPath) -> Iterator[Shipped]:
    """Files of the record that shipped, and the byte code made from them."""
    rows = csv.reader(files[f"{info}/RECORD"].here.read_text(encoding="utf-8").splitlines())
    listed = {APP + path: digest for path, digest, _size in rows}
    for path, digest in listed.items():
        if path in files:
            _require_same(files[path], digest)
    yield from (file for path, file in files.items() if _source(path) in listed)


def _source(path: str) -> str:
    """Path of the module that a file was compiled from, or of the file itself."""
    match = BYTE_CODE.fullmatch(path)
    return f"{match['folder']}{match['module']}.py" if match else path


def _require_same(file: Shipped, digest: str) -> None:
    if digest and digest.removeprefix("sha256=") != _base64(file.sha256):
        fix = "write a new RECORD where a file of a wheel is changed on purpose"
        raise GateError("the file is not the one that its wheel's RECORD lists", where=file.path, fix=fix)


def _base64(sha256: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()


def _licence(name: str, metadata: Message) -> str:
    """SPDX expression, or what the package calls its licence."""
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    declared = metadata["License-Expression"] or metadata["License"] or "".join(classifiers[:1]).rpartition(":: ")[2]
    if not declared and name not in NOT_DECLARED:
        raise GateError(f"the package {name} does not say under which licence it is", where="NOT_DECLARED")
    return str(declared or NOT_DECLARED[name])


def _texts(own: tuple[Shipped, ...], info: PurePosixPath) -> Iterator[Text]:
    for file in own:
        path = PurePosixPath(file.path)
        if TEXT.search(path.name) and not path.name.endswith((".py", ".pyc")):
            base = next((base for base in (info / "licenses", info) if path.is_relative_to(base)), PurePosixPath(APP))
            yield Text(path.relative_to(base).as_posix(), file.here.read_bytes())
