"""The folders `app/` and `bin/` of a bundle, and our part of `python/`, made from wheels."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path, PurePosixPath

from packaging.utils import parse_wheel_filename

from medlora_bundle import stubs
from medlora_bundle.python_runtime import SITE_PACKAGES, VERSION, compile_folder
from medlora_bundle.wheel_unpacking import unpack

OURS = "medlora-edge"
INSTALLER = "medlora_setup"
PROGRAMS = {"medlora-edge": "medlora_edge", "medlora-setup": INSTALLER}

# Never imported by the app: tests, type stubs, build tools, headers, static libraries; 11 MB, most of it numpy's.
LEFT_OUT = (
    "bin/*",
    "include/*",
    "lib/*",
    "build_tools/*",
    "medlora_bundle/*",
    f"{INSTALLER}/*",
    "*/tests/*",
    "*.pyi",
    "*.pxd",
    "*.a",
    "*.h",
    "llama_cpp/lib/libmtmd*",  # images and sound
    "numpy/distutils/*",
    "numpy/f2py/*",
    "numpy/random/_examples/*",
    "numpy/_pyinstaller/*",
)


def unpack_wheels(tree: Path, wheels: Iterable[Path]) -> Path:
    """Make `tree`/app and `tree`/bin; return the former. Raises CorruptError for a wheel that cannot be used."""
    app = tree / "app"
    for wheel in wheels:
        unpack(wheel, app, _in_app)
    stubs.install(app)
    _write_programs(tree / "bin")
    return app


def finish(tree: Path, wheels: Iterable[Path]) -> None:
    """Put the installer into `tree`/python, and byte code beside every module of `tree`.

    Raises CorruptError for a wheel that cannot be used, GateError when a module does not compile.
    """
    (ours,) = (wheel for wheel in wheels if parse_wheel_filename(wheel.name)[0] == OURS)
    unpack(ours, tree / "python" / SITE_PACKAGES, _in_installer)
    for folder in (tree / "python" / "lib", tree / "app"):
        compile_folder(tree / "python", folder)


def _in_app(path: PurePosixPath) -> bool:
    return not any(fnmatchcase(str(path), pattern) for pattern in LEFT_OUT)


def _in_installer(path: PurePosixPath) -> bool:
    return path.parts[0] == INSTALLER


def _write_programs(folder: Path) -> None:
    """The launchers, which find their own version of everything whatever leads to them."""
    folder.mkdir()
    template = resources.files("medlora_bundle").joinpath("launcher.sh").read_text(encoding="utf-8")
    for name, module in PROGRAMS.items():
        program = folder / name
        program.write_text(template.replace("@MODULE@", module).replace("@PYTHON@", VERSION), encoding="utf-8")
        program.chmod(0o755)
