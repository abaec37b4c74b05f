"""Which files an installed version consists of, from its signed manifest and the list that the manifest pins."""

from hashlib import sha256
from pathlib import Path

from medlora_setup import joining, minisign
from medlora_setup.archive_contents import MAX_BYTES as MAX_CONTENTS
from medlora_setup.archive_contents import Content, read_contents
from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import MAX_BYTES, File, Manifest, Role, read
from medlora_setup.minisign import PublicKey
from medlora_setup.regular_file import read_bounded
from medlora_setup.verify import MANIFEST, MAX_SIGNATURE, SIGNATURE

CONTENTS = "contents.json"
EXPECTED_TOKENS = "expected_tokens.json"
CARRIED = "carried.json"
"""Lists the models that an earlier bundle brought and an upgrade took along."""
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
    contents = read_contents(data)
    return (
        *(File(entry.path, entry.size, entry.sha256, Role.PYTHON, entry.mode) for entry in contents["python"]),
        *(File(entry.path, entry.size, entry.sha256, Role.APP, entry.mode) for entry in contents["app"]),
        *(File(joining.place(join), join.size, join.sha256, Role.MODEL_PART, 0o644) for join in manifest.joins),
        *(_kept(manifest.the(role), name) for role, name in RECORDS.items()),
        *(File(entry.path, entry.size, entry.sha256, Role.MODEL_PART, entry.mode) for entry in _carried(version)),
    )


def bundled_models(version: Path, manifest: Manifest) -> dict[str, list[File]]:
    """The files of each model that bundles brought in parts, by the model's name. Raises as `files_of`."""
    files = files_of(version, manifest)
    brought = {file.path.rpartition("/")[0] for file in files if file.role is Role.MODEL_PART}
    return {folder.rpartition("/")[2]: [file for file in files if _inside(file, folder)] for folder in sorted(brought)}


def _inside(file: File, folder: str) -> bool:
    return file.path.startswith(f"{folder}/")


def _carried(version: Path) -> list[Content]:
    entries = read_contents(read_bounded(version / CARRIED, MAX_CONTENTS))["app"]
    return [entry for entry in entries if entry.path.startswith(f"{joining.MODELS}/")]


def _kept(file: File, name: str) -> File:
    return File(name, file.size, file.sha256, file.role, 0o644)
