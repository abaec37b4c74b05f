"""The one step with a network: brings every file that a bundle is made from, and writes their hashes into a lock."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from build_tools.gguf import source_distribution
from build_tools.manifest import sha256_of_file
from medlora_bundle import pip, requirements
from medlora_bundle.lock import Lock, Locked, Purpose, Source, write_lock
from medlora_edge import __version__
from medlora_edge.errors import CorruptError, UsageError

CHECKOUT = Path(__file__).parents[2]
INSTALLER = "install.sh"


def fetch(folder: Path) -> Lock:
    """Fill the new folder `folder` with a lock and the files it names; it is there whole or not at all.

    Raises UsageError outside a checkout, for a folder with content, or when pip cannot get a file; CorruptError when
    the engine's source is not the pinned one.
    """
    source = _source()
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder is not empty", where=str(folder), fix="choose a new one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _bring(work, source)
        lock = Lock(version=__version__, source=source, files=tuple(_locked(work)))
        write_lock(work, lock)
        work.chmod(0o755)
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return lock


def _bring(work: Path, source: Source) -> None:
    app, build, installer = (work / purpose for purpose in (Purpose.APP, Purpose.BUILD, Purpose.INSTALLER))
    for place in (app, build, installer):
        place.mkdir()
    pyproject = CHECKOUT / "pyproject.toml"
    pip.download([requirements.of_engine(pyproject)], build, "--no-deps", "--no-binary", requirements.ENGINE)
    (engine,) = build.iterdir()
    if sha256_of_file(engine) != source_distribution.SHA256:
        raise CorruptError(
            "not the pinned source of the engine", where=engine.name, fix="ask who runs this package index"
        )
    pip.download(requirements.of_building(pyproject, engine), build, "--only-binary", ":all:")
    pip.download(requirements.of_app(pyproject, engine), app, "--only-binary", ":all:")
    pip.build_wheel(CHECKOUT, build, app, source.epoch)
    shutil.copy(CHECKOUT / "packaging" / INSTALLER, installer / INSTALLER)


def _locked(work: Path) -> list[Locked]:
    return [_entry(path, purpose) for purpose in Purpose for path in sorted((work / purpose).iterdir())]


def _entry(path: Path, purpose: Purpose) -> Locked:
    name, version = _identity(path)
    return Locked(name=name, version=version, file=path.name, sha256=sha256_of_file(path), purpose=purpose)


def _identity(path: Path) -> tuple[str, str]:
    """Distribution and version, as the file's name has them; the installer goes with the app."""
    if path.suffix == ".whl":
        name, version, *_ = parse_wheel_filename(path.name)
    elif path.name == INSTALLER:
        return INSTALLER, __version__
    else:
        name, version = parse_sdist_filename(path.name)
    return name, str(version)


def _source() -> Source:
    """State of the checkout that this program runs from; SOURCE_DATE_EPOCH takes the place of the commit's time."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        fix = "clone the repository and install it with pip install -e '.[bundle]'"
        raise UsageError("files are fetched from a checkout, which this is not", where=str(CHECKOUT), fix=fix)
    commit, time = _git("log", "-1", "--format=%H %ct").split()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", time))
    return Source(commit=commit, dirty=bool(_git("status", "--porcelain")), epoch=epoch)


def _git(*arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise UsageError("the program git is not installed", fix="install it: a bundle says what it was built from")
    done = subprocess.run([program, "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError("this is no git checkout, so its state is unknown", where=str(CHECKOUT))
    return done.stdout.strip()
