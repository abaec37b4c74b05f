"""What an engine wheel must be before it may go into a bundle; each gate names the file that breaks it."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from medlora_bundle import wheel_files
from medlora_bundle.elf import Library, Version, read
from medlora_bundle.native_files import FROM_THE_LAPTOP
from medlora_edge.errors import GateError

VARIANTS = frozenset(
    {
        "x64",
        "sse42",
        "sandybridge",
        "ivybridge",
        "piledriver",
        "haswell",
        "alderlake",
        "skylakex",
        "cannonlake",
        "cascadelake",
        "icelake",
        "cooperlake",
        "zen4",
        "sapphirerapids",
    }
)
CORE = frozenset({"libllama.so", "libggml.so", "libggml-base.so"})
GCC_RUN_TIME = frozenset({"libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1"})  # the bundle's Python brings it along
NEWEST: dict[str, Version] = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
NETWORK = re.compile(
    r"socket(pair)?|connect|bind|listen|accept4?|send(to|m?msg)?|recv(from|m?msg)?|getaddrinfo|gethost\w+|getnameinfo|res_\w+"
)
BUILD_PATH = re.compile(rb"(?:/(?:tmp|home|root|build|builds|work|Users)/|\.\./)[\w./+-]{4,}")
LIBRARIES = "llama_cpp/lib/"


def check(wheel: Path) -> None:
    """Raise GateError, with every finding, for a wheel that would not run everywhere, or not stay by itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        files = {name: archive.read(name) for name in names}
    libraries = [read(name, data) for name, data in files.items() if data.startswith(b"\x7fELF")]
    findings = [*_contents(names, files), *_variants(libraries), *_closed(libraries)]
    for library in libraries:
        findings += _portable(library)
        findings += _build_paths(library.name, files[library.name])
    if findings:
        raise GateError("the engine wheel must not ship:\n  " + "\n  ".join(findings), where=str(wheel))


def _contents(names: list[str], files: wheel_files.Files) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: twice in the wheel"
    for name in names:
        if not wheel_files.shipped(name) and not name.endswith(".dist-info/RECORD"):
            yield f"{name}: does not belong into it"
    recorded = [name for name in names if name.endswith(".dist-info/RECORD")]
    if len(recorded) != 1:
        yield "RECORD: there must be one"
        return
    listed = {name: data for name, data in files.items() if name != recorded[0]}
    if files[recorded[0]] != wheel_files.record(listed, recorded[0]):
        yield "RECORD: does not list these files"


def _variants(libraries: Iterable[Library]) -> Iterator[str]:
    names = {library.file for library in libraries}
    wanted = CORE | {f"libggml-cpu-{variant}.so" for variant in VARIANTS}
    yield from (f"{LIBRARIES}{name}: missing" for name in sorted(wanted - names))
    yield from (f"{LIBRARIES}{name}: one too many" for name in sorted(names - wanted))


def _closed(libraries: list[Library]) -> Iterator[str]:
    """Each name that is asked for at run time leads to one file, in the wheel or of the C library."""
    inside = {library.file for library in libraries}
    for library in libraries:
        if library.soname not in {library.file, None}:
            yield f"{library.name}: calls itself {library.soname}, so it could be loaded twice"
        for needed in sorted(library.needed - inside - GCC_RUN_TIME):
            if not FROM_THE_LAPTOP.fullmatch(needed):
                yield f"{library.name}: needs {needed}, which is neither in the wheel nor on every machine"
        if library.search not in {("$ORIGIN",), ()}:
            yield f"{library.name}: looks for libraries in {':'.join(library.search)}"


def _portable(library: Library) -> Iterator[str]:
    for name in sorted(filter(NETWORK.fullmatch, library.imports)):
        yield f"{library.name}: imports {name}, and the engine talks to nobody"
    for family, version in sorted(library.versions):
        if version > NEWEST.get(family, version):
            yield f"{library.name}: needs {family}_{'.'.join(map(str, version))}"


def _build_paths(name: str, data: bytes) -> Iterator[str]:
    found = BUILD_PATH.search(data)
    if found:
        yield f"{name}: holds a path of the machine that built it: {found.group().decode()[:80]}"
