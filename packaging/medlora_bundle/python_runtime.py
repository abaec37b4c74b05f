"""The machine's CPython as a folder that runs anywhere: interpreter, pruned standard library, their libraries."""

import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from medlora_bundle.native_files import closure, load_first, set_run_path, strip, system_library
from medlora_bundle.system_licences import copy_licences
from medlora_edge.errors import GateError, UsageError

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"lib/{VERSION}/site-packages"

# Nothing in the app or in the installer imports these; readline is GPL, and nis brings Kerberos along.
LEFT_OUT = (
    *("__pycache__", "*.pyc", "*.a", "config-*", "site-packages", "test", "tests"),
    *("distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "venv"),
    *("crypt.py", "pydoc.py", "turtle.py", "_crypt.*", "_ctypes_test.*", "_test*", "_tkinter.*", "_xxtestfuzz.*"),
    *("nis.*", "ossaudiodev.*", "readline.*", "spwd.*", "xxlimited*"),
)

# Beside the interpreter this file is its whole search path: no environment variable, user folder or .pth can add to it.
SEARCH_PATH = f"../lib/{VERSION}\n../lib/{VERSION}/lib-dynload\n../{SITE_PACKAGES}\n../../app\n"


def make(out: Path, libraries: Collection[str] = ()) -> Path:
    """Make `out`/python from the interpreter that runs this; return it. The same bytes every time.

    `libraries`: what other native files ask the system for, by SONAME; the interpreter brings them along and loads
    them at its start, so that those files find them whatever their own search path is.
    Raises UsageError when this interpreter is not one for the bundle, GateError when a library or licence is missing.
    """
    _check_platform()
    python = out / "python"
    _copy_library(python / "lib" / VERSION)
    _copy_programs(python, libraries)
    (python / SITE_PACKAGES).mkdir()
    (python / "bin" / f"{VERSION}._pth").write_text(SEARCH_PATH)
    return python


def compile_folder(python: Path, folder: Path) -> None:
    """Put byte code beside every module in `folder`, made by the interpreter `python`, unchecked and so never stale.

    Raises GateError when a module does not compile.
    """
    command = [
        str(python / "bin" / VERSION),
        "-I",
        "-B",
        "-m",
        "compileall",
        "-q",
        "-j1",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    done = subprocess.run([*command, "-s", str(folder), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise GateError(f"the byte code cannot be made: {(done.stdout + done.stderr).strip()}", where=str(folder))


def _check_platform() -> None:
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        raise UsageError("a bundle is built with CPython on Linux", where=sys.executable)


def _copy_library(library: Path) -> None:
    """The standard library, its extension modules included, without what nobody imports."""
    source = Path(sys.base_prefix) / "lib" / VERSION
    shutil.copytree(source, library, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for settings in library.glob("_sysconfigdata_*.py"):  # how and where this Python was compiled
        settings.write_text("build_time_vars: dict[str, object] = {}\n")


def _copy_programs(python: Path, libraries: Collection[str]) -> None:
    """The interpreter and every library that it or an extension module needs; then nothing points to this machine."""
    program = _copy(Path(sys.base_prefix) / "bin" / VERSION, python / "bin" / VERSION)
    modules = sorted((python / "lib" / VERSION / "lib-dynload").glob("*.so"))
    originals = closure([Path(sys.base_prefix) / "bin" / VERSION, *modules])
    originals |= {name: system_library(name) for name in libraries}
    originals |= closure(originals.values())
    copies = [_copy(file, python / "lib" / name) for name, file in originals.items()]
    copy_licences(originals.values(), python / "share" / "licences")
    load_first(program, libraries)
    _relocate([program], "$ORIGIN/../lib")
    _relocate(modules, "$ORIGIN/../..")
    _relocate(copies, "$ORIGIN")


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source.resolve(), target))


def _relocate(files: list[Path], run_path: str) -> None:
    for file in files:
        file.chmod(0o755)
        strip(file)
        set_run_path(file, run_path)
