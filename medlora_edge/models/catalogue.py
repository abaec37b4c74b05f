"""The installed models, one folder each with GGUF and manifest: which one to use, and is it intact."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import CorruptError, MedloraError, ResourceError, UsageError
from medlora_edge.files import exclusive, write_atomic
from medlora_edge.models.gguf_checks import check
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_purpose import require_chat_model
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.hashing import Progress, sha256_of
from medlora_edge.models.manifest import Manifest, describe, read_manifest, source_of
from medlora_edge.models.names import name_from

SHIPPED = "starter"
DEFAULT_FILE = ".default"
TEMPORARY = ".work-"
HOW_TO_ADD = "install one with `medlora-edge models add FILE`"


@dataclass(frozen=True)
class Model:
    """A model that can be used: its name, its GGUF file, and what is known about it."""

    name: str
    path: Path
    manifest: Manifest
    shipped: bool = False

    @property
    def untrained(self) -> bool:
        """True when its weights are random: it shows that the program runs, and knows nothing."""
        return self.manifest.untrained


@dataclass(frozen=True)
class Entry:
    """One folder of the catalogue: a model, or the reason why it cannot be used."""

    name: str
    model: Model | None
    problem: MedloraError | None = None


def inspect(path: Path) -> GgufHeader:
    """Read and check a file that is to be used for chat.

    Raises UsageError (exit 2) for a wrong path or purpose, CorruptError (exit 3) for a damaged file.
    """
    header = read_header(path)
    check(header)
    require_chat_model(header)
    return header


def installed() -> tuple[Entry, ...]:
    """All folders of the catalogue by name; a broken one does not hide the others."""
    folder = paths.models_dir()
    if not folder.is_dir():
        return ()
    names = sorted(place.name for place in folder.iterdir() if place.is_dir() and place.name[0] != ".")
    return tuple(_entry(folder / name, shipped=False) for name in names)


def shipped() -> tuple[Entry, ...]:
    """The models that came with the program: those that a bundle brought by name, the starter last."""
    folder = paths.shipped_models_dir()
    places = sorted(folder.iterdir(), key=lambda place: (place.name == SHIPPED, place.name)) if folder else ()
    return tuple(_entry(place, shipped=True) for place in places if place.is_dir())


def _entry(folder: Path, *, shipped: bool) -> Entry:
    try:
        manifest = read_manifest(folder)
    except MedloraError as problem:
        return Entry(folder.name, None, problem)
    return Entry(folder.name, Model(folder.name, folder / manifest.file, manifest, shipped))


def find(name_or_file: str | None, on_progress: Progress | None = None) -> Model:
    """The model to use: by name, else by file; without either the default, else the only one of the first that there
    are of these: installed by the user, the bundle's own default, brought by a bundle, the starter.

    A file is what ends in `.gguf` or has a folder before it (`./model`); it is checked and hashed.
    Raises UsageError (exit 2) when there is none, CorruptError (exit 3) when its manifest or file is broken.
    """
    if name_or_file is None:
        return _default_model()
    model = _by_name(name_or_file)
    if model:
        return model
    path = Path(name_or_file)
    if path.suffix.lower() == ".gguf" or path.parent != Path():
        return _from_file(path, on_progress)
    known = ", ".join(entry.name for entry in (*installed(), *shipped())) or "none"
    raise UsageError(f"there is no model {name_or_file!r}; installed: {known}", fix=HOW_TO_ADD)


def _by_name(name: str) -> Model | None:
    for entry in (*installed(), *shipped()):
        if entry.name.casefold() != name.casefold():
            continue
        if entry.problem:
            raise entry.problem
        return entry.model
    return None


def _default_model() -> Model:
    name = default_name()
    if name:
        model = _by_name(name)
        if not model:
            raise UsageError(
                f"the default model {name!r} is no longer installed",
                fix="choose another with `medlora-edge models default NAME`",
            )
        return model
    own = [entry.model for entry in installed() if entry.model]
    brought = [entry.model for entry in shipped() if entry.model and entry.model.path.is_file()]
    found = own or _first_of(brought)
    if not found:
        raise UsageError("no model is installed", where=str(paths.models_dir()), fix=HOW_TO_ADD)
    if len(found) > 1:
        raise UsageError(
            f"several models are installed and none is the default: {', '.join(model.name for model in found)}",
            fix="choose one with `medlora-edge models default NAME`, or for this once with --model",
        )
    return found[0]


def _first_of(brought: list[Model]) -> list[Model]:
    """Of the models that came with the program those that go before the others."""
    first = _named_in(paths.shipped_models_dir())
    named = [model for model in brought if model.name == first]
    return named or [model for model in brought if model.name != SHIPPED] or brought


def _from_file(path: Path, on_progress: Progress | None) -> Model:
    header = inspect(path)
    manifest = describe(header, name=name_from(path), sha256=sha256_of(path, on_progress), source=source_of(path))
    return Model(manifest.name, path.absolute(), manifest)


def verify(model: Model, on_progress: Progress | None = None, *, fresh: bool = False) -> None:
    """Require that the file is the one that was added; hashed again when it looks changed, or when `fresh`.

    Raises CorruptError (exit 3), or UsageError (exit 2) when the file is gone.
    """
    size = size_of(model.path)
    if size is None and not model.path.exists():
        raise UsageError(f"the file of the model {model.name!r} is gone", where=str(model.path), fix=_again(model))
    if size not in (None, model.manifest.size_bytes):
        found = f"{size} bytes, not the {model.manifest.size_bytes} it had"
    else:
        digest = sha256_of(model.path, on_progress, fresh=fresh)
        if digest == model.manifest.sha256:
            return
        found = f"SHA-256 {digest[:12]}..., not {model.manifest.sha256[:12]}..."
    raise CorruptError(
        f"the model {model.name!r} is no longer the file that was installed: it has {found}",
        where=str(model.path),
        fix=_again(model),
    )


def size_of(path: Path) -> int | None:
    """Bytes of a regular file; None for anything else."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _again(model: Model) -> str:
    if model.shipped:
        return "install the program again"
    return f"remove it with `medlora-edge models remove {model.name}` and add it again"


def default_name() -> str | None:
    """Name of the default model, None when none was chosen."""
    return _named_in(paths.models_dir())


def _named_in(folder: Path | None) -> str | None:
    """The default that a folder of models names: the user's choice, or the one that `medlora-setup` left there."""
    if folder is None:
        return None
    try:
        return (folder / DEFAULT_FILE).read_text(encoding="utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptError(
            "the choice of the default model cannot be read",
            where=str(folder / DEFAULT_FILE),
            fix="choose again with `medlora-edge models default NAME`",
        ) from error


def set_default(name: str) -> Model:
    """Use this model from now on. Raises UsageError (unknown name) or ResourceError (cannot be written)."""
    model = _by_name(name)
    if not model:
        raise UsageError(f"there is no installed model {name!r}", fix="see `medlora-edge models list`")
    with changing() as folder:
        write_atomic(folder / DEFAULT_FILE, model.name.encode() + b"\n")
    return model


def remove(name: str) -> None:
    """Delete an installed model, broken or not. Raises UsageError for an unknown or a shipped one."""
    with changing() as folder:
        match = [entry.name for entry in installed() if entry.name.casefold() == name.casefold()]
        if not match:
            kind = "came with the program" if any(name == entry.name for entry in shipped()) else "is not installed"
            raise UsageError(f"the model {name!r} {kind}", fix="see `medlora-edge models list`")
        doomed = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
        (folder / match[0]).rename(doomed / match[0])
        if (default_name() or "").casefold() == name.casefold():
            (folder / DEFAULT_FILE).unlink()
        shutil.rmtree(doomed)


@contextmanager
def changing() -> Iterator[Path]:
    """The catalogue's folder, held by this process alone; what a killed process left behind is swept away.

    Raises InUseError (exit 8) when another process changes it, ResourceError (exit 4) when the disk refuses.
    """
    folder = paths.private_folder(paths.models_dir())
    try:
        with exclusive(folder / ".lock", what="the model catalogue"):
            for leftover in folder.glob(f"{TEMPORARY}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield folder
    except OSError as error:
        raise ResourceError(
            f"the model catalogue cannot be changed: {error.strerror or error}",
            where=str(folder),
            fix="free space, or check who may write there",
        ) from error
