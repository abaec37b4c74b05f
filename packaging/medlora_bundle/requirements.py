"""What the app needs at run time and its wheels at build time, read from the projects' own metadata."""

import tarfile
import tomllib
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from medlora_edge.errors import CorruptError

ENGINE = "llama-cpp-python"

# Imported by llama_cpp, used by nothing of ours, and open to CVE-2025-69872: an inert stand-in ships in its place.
NOT_SHIPPED = frozenset({"diskcache"})

# scikit-build-core takes what it finds in PATH, and asks for a wheel only where that is missing or too old. So that the
# lock says which ones ran, these are locked too and put before the machine's own: see `engine_wheel`.
COMPILING = ("cmake>=3.21", "ninja")


def of_app(pyproject: Path, engine: Path) -> list[str]:
    """What is installed beside our wheel and the engine's: the app's requirements and those of the archive `engine`."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return sorted({*_shipped(project["dependencies"]), *_shipped(_metadata(engine))})


def of_engine(pyproject: Path) -> str:
    """The app's requirement of the engine, its version pinned."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    (engine,) = (line for line in project["dependencies"] if _name(line) == ENGINE)
    return str(engine)


def of_building(pyproject: Path, engine: Path) -> list[str]:
    """What builds our wheel and the engine's."""
    return sorted({*_build_system(pyproject.read_text(encoding="utf-8")), *_build_system(_member(engine)), *COMPILING})


def _build_system(text: str) -> list[str]:
    return [str(line) for line in tomllib.loads(text)["build-system"]["requires"]]


def _metadata(sdist: Path) -> list[str]:
    return Parser().parsestr(_member(sdist, "PKG-INFO")).get_all("Requires-Dist") or []


def _shipped(lines: list[str]) -> list[str]:
    """Those that are needed here without any extra and that ship."""
    left_out = {*NOT_SHIPPED, ENGINE}
    needed = (line for line in lines if (marker := Requirement(line).marker) is None or marker.evaluate({"extra": ""}))
    return [line for line in needed if _name(line) not in left_out]


def _name(line: str) -> str:
    return canonicalize_name(Requirement(line).name)


def _member(sdist: Path, name: str = "pyproject.toml") -> str:
    """Text of a file in the top folder of a source distribution."""
    with tarfile.open(sdist) as tar:
        member = tar.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/{name}")
        if member is None:
            raise CorruptError(f"the source distribution holds no {name}", where=str(sdist))
        return member.read().decode()
