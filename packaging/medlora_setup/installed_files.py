"""Which files an installed version consists of, from its signed manifest and the list that the manifest pins."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from medlora_setup import joining, minisign
from medlora_setup.archive_contents import CONTENTS, Content, read_contents
from medlora_setup.archive_contents import MAX_BYTES as MAX_CONTENTS
from medlora_setup.carried import CARRIED, Carried, read_carried
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import MAX_BYTES, File, Manifest, Role, read
from medlora_setup.minisign import PublicKey
from medlora_setup.regular_file import read_bounded
from medlora_setup.verify import MANIFEST, MAX_SIGNATURE, SIGNATURE

EXPECTED_TOKENS = "expected_tokens.json"
DEFAULT = f"{joining.MODELS}/.default"
"""Names the model, of those that bundles brought, that the app takes where its user chose none."""
UNHASHED = frozenset({MANIFEST, SIGNATURE, CARRIED})
"""Files of a version that the manifest says nothing of: itself, its signature, what is not its bundle's."""
RECORDS = {Role.CONTENTS: CONTENTS, Role.EXPECTED_TOKENS: EXPECTED_TOKENS}
"""Files of the bundle that are kept beside what was unpacked."""


def manifest_of(version: Path, key: str) -> Manifest:
    """The manifest of an installed version. Raises SetupError (exit 3 or 9) when it is not what `key` signed."""
    data = read_bounded(version / MANIFEST, MAX_BYTES)
    signature = read_bounded(version / SIGNATURE, MAX_SIGNATURE).decode(errors="replace")
    minisign.verify(PublicKey.parse(key), data, signature)
    return read(data)


def files_of(version: Path, manifest: Manifest) -> tuple[File, ...]:
    """Every file that the version must consist of, but those that are `UNHASHED`; paths are those in its folder.

    Raises SetupError (exit 3) when the list of contents is not the one that was signed.
    """
    data = read_bounded(version / CONTENTS, MAX_CONTENTS)
    if sha256(data).hexdigest() != manifest.the(Role.CONTENTS).sha256:
        fix = "uninstall, and install again"
        what = "the list of the installed files is not the one that was signed"
        raise SetupError(what, where=str(version / CONTENTS), fix=fix, code=Code.CORRUPT)
    contents, carried = read_contents(data), carried_in(version)
    return (
        *(File(entry.path, entry.size, entry.sha256, Role.PYTHON, entry.mode) for entry in contents["python"]),
        *(File(entry.path, entry.size, entry.sha256, Role.APP, entry.mode) for entry in contents["app"]),
        *(File(joining.place(join), join.size, join.sha256, Role.MODEL_PART, 0o644) for join in manifest.joins),
        *(_kept(manifest.the(role), name) for role, name in RECORDS.items()),
        *(_carried_file(content) for model in carried for content in model.files),
        *_default_file(default_model(manifest, carried)),
    )


def carried_in(version: Path) -> tuple[Carried, ...]:
    """The models that were taken along into the version. Raises SetupError (exit 3) for a damaged record."""
    return read_carried(read_bounded(version / CARRIED, MAX_CONTENTS))


def brought_models(version: Path, manifest: Manifest) -> tuple[Carried, ...]:
    """Each model that bundles brought in parts, the version's own first. Raises as `files_of`."""
    files = files_of(version, manifest)
    own = (Carried(join.model, manifest.serial, _inside(joining.place(join), files)) for join in manifest.joins)
    return (*own, *carried_in(version))


def default_model(manifest: Manifest, carried: Sequence[Carried]) -> str | None:
    """The model that the app takes where its user chose none: the bundle's own first one, else that of before."""
    return next((model.model for models in (manifest.joins, carried) for model in models), None)


def default_bytes(name: str) -> bytes:
    """Content of the file `DEFAULT`."""
    return f"{name}\n".encode()


def _inside(place: str, files: Sequence[File]) -> tuple[Content, ...]:
    folder = place.rpartition("/")[0]
    found = (file for file in files if file.path.startswith(f"{folder}/"))
    return tuple(Content(file.path, file.size, file.sha256, file.mode) for file in found)


def _carried_file(content: Content) -> File:
    return File(content.path, content.size, content.sha256, Role.MODEL_PART, content.mode)


def _default_file(name: str | None) -> Iterator[File]:
    if name is not None:
        content = default_bytes(name)
        yield File(DEFAULT, len(content), sha256(content).hexdigest(), Role.APP, 0o644)


def _kept(file: File, name: str) -> File:
    return File(name, file.size, file.sha256, file.role, 0o644)
