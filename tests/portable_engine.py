"""The portable engine for the nightly tests: its wheel, built once per recipe and kept, and a Python that has it."""

import hashlib
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

from benchmarks.cache import cache_folder
from build_tools.gguf import source_distribution
from medlora_bundle import engine_wheel, wheel_files
from medlora_bundle.requirements import COMPILING

ROOT = Path(__file__).parents[1]
BUILD_REQUIREMENTS = ("packaging", "pathspec", "scikit-build-core", *COMPILING)


def wheel() -> Path:
    """The wheel; the first time with a recipe it takes about a quarter of an hour."""
    recipe = hashlib.sha256(source_distribution.SHA256.encode())
    for module in (engine_wheel, wheel_files):
        recipe.update(Path(str(module.__file__)).read_bytes())
    place = cache_folder() / f"portable-engine-{recipe.hexdigest()[:12]}"
    return next(place.glob("*.whl"), None) or build(place)


def build(out: Path) -> Path:
    """The wheel, built anew into `out`."""
    source_distribution.unpacked(cache_folder())
    archive = cache_folder() / f"{source_distribution.NAME}.tar.gz"
    return engine_wheel.build_engine_wheel(archive, _requirements(), out)


def _requirements() -> Path:
    place = cache_folder() / "portable-engine-tools"
    if not place.is_dir():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(place)]
        subprocess.run([*command, *BUILD_REQUIREMENTS], check=True)
    return place


def python(folder: Path) -> Path:
    """An interpreter in `folder` that has everything of this one, and the portable engine in place of its engine."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel()) as archive:
        archive.extractall(site)
    (site / "everything.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return folder / "bin" / "python"


def libraries(interpreter: Path) -> Path:
    """Where the engine of `interpreter` has its libraries."""
    return next(interpreter.parents[1].glob("lib/python*/site-packages/llama_cpp/lib"))
