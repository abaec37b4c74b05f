"""The CPU variants of a portable build: one library per processor family, of which exactly one is loaded.

llama.cpp would search the program's folder and the current one for them, and run whatever lies there. So they are
loaded here, by absolute path, before llama.cpp feels the want of one. A build for one machine has none: "native".
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from medlora_edge.engine import variant_memory
from medlora_edge.engine.apart import Died, apart

NATIVE = "native"
PREFIX = "libggml-cpu-"

Loader = Callable[[Path], bool]  # registers a library with llama.cpp; False when it refuses


class NoVariantError(Exception):
    """No CPU variant of this build, or not the one asked for, runs on this processor; the sentence says which."""


class TrialError(Exception):
    """Every CPU variant that this processor has the instructions for failed its self-test; the sentence says how."""


@dataclass(frozen=True)
class Variant:
    """One library of CPU code. `score` is its own opinion of this processor: higher is faster, 0 cannot run."""

    name: str
    path: Path
    score: int


def library_folder() -> Path:
    """Where llama.cpp's libraries lie, found without loading them."""
    spec = find_spec("llama_cpp")
    assert spec and spec.origin  # noqa: S101 - a dependency of the app
    return Path(spec.origin).parent / "lib"


def variants(lib_dir: Path) -> tuple[Variant, ...]:
    """The CPU variants in a folder, the best for this processor first; none in a build for one machine."""
    found = [Variant(name, path, _score(path)) for name, path in _files(lib_dir).items()]
    return tuple(sorted(found, key=lambda variant: -variant.score))


def load(lib_dir: Path, register: Loader, trial: Loader, *, memory: Path | None, forced: str | None) -> str:
    """Load the `forced` variant, else the best one that survives `trial` in a process of its own; return its name.

    `memory` is the file that saves the trial at the next start. Raises NoVariantError and TrialError.
    """
    files = _files(lib_dir)
    if forced:
        return _load_forced(forced, files, register)
    if not files:
        return NATIVE
    remembered = variant_memory.recall(memory, files) if memory else None
    if remembered and register(files[remembered]):
        return remembered
    chosen = _best(lib_dir, trial)
    if not register(chosen.path):
        raise NoVariantError(f"llama.cpp refuses the CPU variant {chosen.name}")
    if memory:
        variant_memory.remember(memory, files, chosen.name)
    return chosen.name


def _load_forced(name: str, files: dict[str, Path], register: Loader) -> str:
    if name == NATIVE and not files:
        return name
    if name not in files:
        raise NoVariantError(f"this build has no CPU variant {name}: it has {', '.join(files) or NATIVE}")
    if not register(files[name]):
        raise NoVariantError(f"this processor cannot run the CPU variant {name}")
    return name


def _best(lib_dir: Path, trial: Loader) -> Variant:
    deaths: dict[str, str] = {}
    for variant in variants(lib_dir):
        if variant.score <= 0:
            continue
        try:
            apart(partial(_try, trial, variant.path))
        except Died as death:
            deaths[variant.name] = str(death)
            print(f"CPU variant {variant.name} failed its self-test: {death}", file=sys.stderr, flush=True)
        else:
            return variant
    if set(deaths.values()) <= {"SIGILL"}:
        raise NoVariantError(f"no CPU variant runs on this processor, tried: {', '.join(deaths) or 'none'}")
    told = ", ".join(f"{name}: {death}" for name, death in deaths.items())
    raise TrialError(f"every CPU variant failed its self-test ({told})")


def _try(trial: Loader, path: Path) -> str:
    if not trial(path):
        raise NoVariantError(f"llama.cpp refuses {path.name}")
    return ""


def _files(lib_dir: Path) -> dict[str, Path]:
    paths = sorted(lib_dir.resolve().glob(f"{PREFIX}*.so"))
    return {path.stem.removeprefix(PREFIX): path for path in paths}


def _score(path: Path) -> int:
    """Asked in a process of its own, so that only the chosen variant is ever mapped into this one."""
    try:
        return int(apart(partial(_own_score, path)))
    except Died:
        return 0


def _own_score(path: Path) -> str:
    return str(ctypes.CDLL(str(path)).ggml_backend_score())
